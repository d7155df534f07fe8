"""Every bound of the product: its name, its arithmetic, and what happens when it is reached."""

from __future__ import annotations

EPOCH_ROWS_MAX = 122_880  # One DuckDB row group. Reached: the epoch is sealed.
EPOCH_INTERVAL_MS = 100  # A row waits at most this long for company. Passed: the epoch is sealed.
EPOCHS_TOGETHER_MAX = 4  # Rows that wait behind a running epoch: 4 x 122,880. The rest: the next.
EPOCH_BYTES_MAX = 128 * 1024 * 1024  # Columns of an epoch of waiting rows: 4 row groups of 270 B.
SWAP_ROWS_MAX = 1_000  # Rows of a log taken back one for one in an epoch. More: by their keys.
STATE_FOUND_NEAR_MAX = 491_520  # Rows of a state without key order: 4 groups. More: by hash, log.
STATE_LOG_SHARE = 32  # A log with a row for so many of its state is folded: 64 read for each.
STATE_LOG_ROWS_MIN = 16_384  # Rows of a log below which it is not folded.
TICK_INTERVAL_MS = 1_000  # Unsolved uses of NOW() are re-evaluated this often.

PENDING_BYTES_MAX = 256 * 1024 * 1024  # Input on its way: 1.2 M rows of 220 B. Full: submit waits.
PENDING_BATCHES_MAX = 4_096  # Batches on their way: 20,000 rows/s in ones of 5. Full: submit waits.
DECODE_TOGETHER_BYTES_MAX = 4 * 1024 * 1024  # Small batches that are decoded in one call.
DECODE_MEMORY_BYTES_MAX = 1024**3  # PUSH_BYTES_MAX x ~8 when read with care. Full: 53200.
PARTITION_IDLE_S = 10  # A partition that is read to its end and brings nothing holds no watermark.
PUSH_BYTES_MAX = 64 * 1024 * 1024  # One HTTP or COPY batch. Larger: refused (54000), send parts.
HTTP_BODY_BYTES_MAX = 1024 * 1024  # One statement and its parameters. Longer: refused (22023).
HTTP_ROWS_DEFAULT = 10_000  # Rows of an answer; the rest is left out and "truncated" says so.
HTTP_ROWS_MAX = 1_000_000  # The most that "limit" takes. More: 22023, COPY over the wire is for it.
HTTP_ANSWER_BYTES_MAX = 64 * 1024 * 1024  # Columns of an answer. Reached: truncated.
HTTP_STATEMENT_S_DEFAULT = 30  # What a statement of /v1/sql may take. Passed: 57014.
HTTP_STATEMENT_S_MAX = 600  # The most that "timeout_s" takes. More: 22023.
HTTP_STATEMENTS_MAX = 32  # Of /v1/sql at a time: most of the 40 threads. More: 53300, HTTP 503.
HTTP_REQUESTS_PER_S = 100  # Of one address, pushes of rows apart: 25 views 4 times. More: HTTP 429.
HTTP_REQUESTS_BURST = 400  # What an address may send at once after a pause: a few pages opened.
HTTP_PEERS_MAX = 10_000  # Addresses whose pace is known, 200 B each. More: the oldest is forgotten.
LIVE_CLIENTS_MAX = 200  # Streams of /v1/live: four times 50 screens. More: 53300, HTTP 503.
LIVE_VIEWS_MAX = 32  # Views of one stream. More: 22023.
LIVE_TICK_MS = 250  # Changes of so long become one event: 4 a second.
LIVE_TICKS_KEPT = 240  # A minute of 4 a second, to resume from. Older: the rows are sent anew.
LIVE_CHANGE_ROWS_MAX = 5_000  # Rows of one event: 1 MB of JSON. More: the rows are sent anew.
LIVE_SNAPSHOT_ROWS_MAX = 10_000  # Rows a stream begins with. More: "truncated" says so.
LIVE_SPELLED_BYTES_MAX = (
    32 * 1024 * 1024
)  # Events of a tick as bytes, shared: 32 of 1 MB. More: each client its own.
PUSH_KEYS_KEPT_S = 86_400  # How long a batch sent twice is known by its idempotency key.
PUSH_KEY_CHARACTERS_MAX = 255  # Of an idempotency key. Longer: refused (22023).
DOCUMENT_BYTES_MAX = 48 * 1024 * 1024  # One file of a head-end. Larger: it is a dead letter.
XML_DEPTH_MAX = 32  # Levels of elements; the deepest message of a head-end has 12. Deeper: refused.
XML_RECORD_ELEMENTS_MAX = 1_000_000  # Of one meter: a year of quarter hours has 210,000. x 300 B.
XML_TEXT_BYTES_MAX = 65_536  # Characters of one element. Longer: the document is refused.
LINE_BYTES_MAX = 1024 * 1024  # One input record. Longer: a dead letter that keeps its first bytes.

TRANSACTION_IDLE_S = 30  # An open transaction without a statement. Passed: rolled back, 25P03.
TRANSACTION_YIELD_S = 0.25  # Idle so long, a transaction lends the writer to others that wait.
TRANSACTION_STATEMENTS_MAX = 1_000  # Kept to run again. More: no savepoints (54000), no lending.
TRANSACTION_BYTES_MAX = 64 * 1024 * 1024  # Kept rows of COPY in a block. More: the same.
SHARED_STATEMENTS_MAX = 64  # Waiting INSERTs made one epoch: 64 x ~1 ms. The rest: the next one.
POISON_ROWS_MAX = 8  # x 2 x log2(122,880) trials x ~30 ms = 8 s. One view's: it is suspended.
WRITER_WAIT_S = 120  # How long a statement waits for the writer. Passed: 55006.

CONNECTIONS_MAX = 500  # Wire sessions at a time. Full: 53300.
STARTING_CONNECTIONS_MAX = 100  # Clients beyond those, refused or on their way in. Full: closed.
LOGIN_BYTES_MAX = 65_535  # One wire message before the login is over. Larger: 08P01.
LOGIN_DELAY_MAX_S = 8  # Between two tries of an address that guesses passwords wrongly.
LOGIN_WAIT_MAX_S = 30  # How long such a try waits for its turn. Longer: refused (28000).
LOGIN_PEERS_MAX = 10_000  # Addresses remembered for that, 200 B each. Full: one is forgiven.
MESSAGE_BYTES_MAX = 256 * 1024 * 1024  # One wire message. Larger: 08P01 and the connection ends.
STARTUP_BYTES_MAX = 10_000  # PostgreSQL's own bound of a startup packet. Larger: 08P01.
PLANS_MAX = 1_000  # Translated queries of a database, 2 to 20 KB each. Full: the oldest goes.
FEW_ROWS_MAX = 32  # A result so small is taken value by value. Larger: by column.
ANSWERS_MAX = 50_000  # Small answers kept until their rows change, <= 1 KB each. Full: old ones go.
ANSWER_BYTES_MAX = 1_024  # One such answer with its parameters. Larger: read each time.
ANSWER_KEYS_CHANGED_MAX = 4_096  # Keys of a relation looked at per epoch. More: all its answers go.
ANSWERS_UNASKED_S = 60  # How long a relation's changes are followed for answers nobody asks.
READERS_IDLE_MAX = 8  # Readers kept for the next query. More: closed.
STATEMENTS_MAX = 10_000  # Prepared statements or portals of one session. Full: 54000.
NOTIFICATIONS_MAX = 1_000  # Waiting for one session, <= 8 MB. Full: more are lost, and it is told.
NOTIFICATIONS_SAID_MAX = 10_000  # Of one transaction, <= 80 MB. More: 54000.
NOTIFICATION_BYTES_MAX = 8_000  # Of a payload, as in PostgreSQL. So long or longer: 22023.
RESULT_BATCH_ROWS = 8_192  # Rows turned into wire bytes at a time; a slow reader holds one batch.

CDC_BATCH_BYTES = 4 * 1024 * 1024  # Changes of whole transactions that are taken as one batch.
CDC_TRANSACTION_BYTES_MAX = (
    512 * 1024 * 1024
)  # One transaction, in memory. Larger: the table fails.
MQTT_UNACKNOWLEDGED_MAX = 20_000  # Messages on their way, ~1 kB each. Full: the broker waits.
REST_BODY_BYTES_MAX = 32 * 1024 * 1024  # One page of an API. Larger: the poll fails and says so.
REST_POLL_BYTES_MAX = 64 * 1024 * 1024  # Rows of a poll that are one epoch. More: several.
WEBHOOK_BATCH_ROWS_MAX = 1_000  # Records of one request: ~300 kB. More: the sink is refused.
SCHEMAS_KEPT_MAX = 1_000  # Schemas of records, compiled, ~10 KB each. Full: the oldest goes.
SCHEMA_BYTES_MAX = 4 * 1024 * 1024  # One schema, or one answer of a registry. Larger: refused.
SCHEMA_NEWEST_S = 300  # How long the newest schema of a subject is taken for the newest.
SCHEMA_UNKNOWN_S = 30  # How long a number that a registry does not know is not asked for again.
HISTORY_FILE_ROWS_MAX = 1_000_000  # Of one exported Parquet file, ~200 B each = 200 MB. More: next.
SINK_FILE_ROWS_MAX = 100_000  # Of one file, ~300 B each = 30 MB. More: the next file.
SINK_FILE_BYTES_MAX = 64 * 1024 * 1024  # Of one file, as JSON. More: the next file.
OUTBOX_ROWS_MAX = 10_000_000  # Of one sink, ~300 B each = 3 GB of disk. Full: its outbox_policy.
OUTBOX_DELIVER_ROWS = 10_000  # Rows read from the outbox and sent at a time.
DEAD_LETTER_BYTES_MAX = 64 * 1024  # Raw bytes kept of one undecodable record.
DEAD_LETTERS_REPLAYED_MAX = 100_000  # Of one call: 10 s of decoding. The rest: call again.

SOURCE_RETENTION_S = 7 * 86_400  # Older source rows are forgotten unless it says otherwise.

HOT_SORT_ROWS = 8_192  # New rows of a hypertable, so many at once, are stored by segment.
CHUNK_GROUP_ROWS = 65_536  # A row group of a chunk file: what is read to find one row.
CHUNK_FILE_ROWS_MAX = 4_194_304  # x ~100 B while they are sorted = 0.4 GB. More: several files.
CHUNK_FILES_MAX = 4  # Of one chunk: late rows make new ones. More: the chunk is written anew.
CHUNK_LINGER_S = 600  # A file no longer needed stays so long for queries that still read it.
BACKFILL_PIECE_ROWS = 8_388_608  # A view over chunk files is filled so many rows at a time,
BACKFILL_PIECES_MAX = 32  # or more: each piece may read again what the ones before have left.
TIER_CACHE_BYTES_MAX = 1024 * 1024 * 1024  # Local copies of tiered files. Full: the oldest go.
REMOTE_TRIES_S = 30  # How long a remote store is tried again. Passed: 58000.
JOB_HISTORY_MAX = 1_000  # Runs remembered of all jobs. More: the oldest are forgotten.

TEXT_BYTES_MAX = 1_073_741_823  # One text, as in PostgreSQL. Longer: 54000, not tried.
REGEX_SECONDS_MAX = 1.0  # One regular expression on one value. Longer: 2201B.
REGEX_SECOND_CHARACTERS = 500_000  # A value of 2 M characters may take 4 s more.
REGEX_WAYS_UNTIMED_MAX = 1_000_000  # Ways to match one value: 10 ms. More: the clock is watched.
FUNCTION_DEPTH_MAX = 32  # SQL functions that call each other, inlined. Deeper: 54000.
PYTHON_BATCH_S_MAX = 10.0  # 2,048 rows through a Python function: 5 ms a row. Longer: 54000.
PYTHON_MEMORY_BYTES_MAX = 256 * 1024 * 1024  # Of one process of functions. More: 54000.
PYTHON_PROCESSES_MAX = 2  # One for epochs and one for readers. All busy: a call waits for one.
VECTOR_DIMENSIONS_MAX = 16_000  # Of one vector(n): 64 kB a value. More: 22023.
SINK_DEPTH_MAX = 32  # Tables fed by sinks, one from another. Deeper, or in a ring: 54000.

OCPP_CONNECTIONS_MAX = 20_000  # Two fleets of 10,000. Full: the handshake gets 503.
OCPP_MESSAGE_BYTES_MAX = 1024 * 1024  # 8 h of transactionData are 720 kB. Longer: close 1009.
OCPP_EARLY_BYTES_MAX = 128 * 1024  # Before a charger is accepted. Longer: close 1009.
OCPP_DEPTH_MAX = 32  # Levels of a message; the deepest schema has 9. Deeper: not readable.
OCPP_TOKENS_MAX = 50_000  # Values of a message: 5,000 samples of 8. More: not readable.
OCPP_STRING_CHARACTERS_MAX = 65_536  # The longest in a schema has 32,768. Longer: not readable.
OCPP_MESSAGE_ID_CHARACTERS_MAX = 36  # A UUID. Longer: refused; 1.6, which has no rule, takes 255.
OCPP_IDENTITY_CHARACTERS_MAX = 255  # A charger's id in the URL. Longer: 404.
# A charger waits for each answer, so it repeats its last message only. An answer takes 500 bytes:
# 80 MB for 10,000 chargers. A thousand of each, as after a night offline, would be 4.3 GB.
OCPP_REPLIES_KEPT = 16  # Answers of a connection kept for a message that comes again.
OCPP_REPLY_KEPT_S = 600  # How long: then the same message id is another message.
OCPP_TIME_REPLY_KEPT_S = 30  # The same for answers that tell the time, which must not be old.
OCPP_STREAMS_KEPT = 256  # Event streams of a charger whose names are known. More: without one.
OCPP_MONITORS_KEPT = 4096  # Monitors of a charger whose variables are known. More: the same.
OCPP_INBOUND_MAX = 64  # Messages of a charger that wait. Full: it is not read from.
OCPP_RATE_PER_S = 20.0  # Messages of a charger in a second, after a burst. More: read later.
OCPP_BURST = 200  # Messages of a charger at once: most of a night's queue in two bursts.
OCPP_EARLY_RATE_PER_S = 1.0  # The same before it is accepted; the burst is 10.
OCPP_COMMANDS_MAX = 100  # Commands that wait for one charger. Full: 54000.
OCPP_GROUP_ROWS_MAX = 20_000  # Rows of one group commit; the rest goes into the next.
OCPP_METER_KEYS_KEPT = 64  # Meters of a charger whose first key is known; of others none changes.
OCPP_OVERLOAD_S = 60  # A charger whose messages wait for so long without end is closed (1008).
OCPP_RECENT_KEPT = 32  # Messages of a charger by which one sent twice is known.
OCPP_SAMPLES_KEPT = 16_384  # Samples of a running transaction known by key, to drop repeats.

GATEWAY_PARTITIONS_MAX = 4096  # Of the topics that gateways share. More: 22023.
GATEWAY_FRAMES_TOGETHER = 2_000  # Frames of other gateways at once: 2 kB each with their rows.

FLINK_VERSION_MIN = 2  # Of clusters that definitions are put on. Older: HV000.
FLINK_VIEWS_MAX = 30  # Views that one is planned from: 29 such, two minutes. More: by topics.
POSTGRES_VIEWS_MAX = 150  # Views that one is read through: half a second's planning.
FLINK_STATEMENT_S = 900  # A savepoint of 30 GB, or planning a pack. Passed: cancelled, 08006.
RESULT_KEYS_AT_ONCE = 10_000  # Taken away together, where a job begins anew. More: in rounds.
FLINK_START_S = 120  # Until a job runs, its state read; or has ended. Passed: 08006.
FLINK_SETTLE_S = 5  # A job that goes on is watched so long: it could begin over and over.
