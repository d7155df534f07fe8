-- An online auction, after the Nexmark benchmark: its queries in RisingWave's dialect, one per
-- heading. Where a query needs what the dialect has no word for, the closest form is used.

-- tables
CREATE SOURCE person (
    id BIGINT, name VARCHAR, email_address VARCHAR, credit_card VARCHAR, city VARCHAR,
    state VARCHAR, date_time TIMESTAMP, extra VARCHAR
);
CREATE SOURCE auction (
    id BIGINT, item_name VARCHAR, description VARCHAR, initial_bid BIGINT, reserve BIGINT,
    date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR
);
CREATE SOURCE bid (
    auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR,
    date_time TIMESTAMP, extra VARCHAR, p_time TIMESTAMPTZ AS PROCTIME()
);
CREATE TABLE side_input (key BIGINT PRIMARY KEY, value VARCHAR);

-- q0: bids as they are
SELECT auction, bidder, price, date_time FROM bid;

-- q1: dollars to euros
SELECT auction, bidder, 0.908 * price AS price, date_time FROM bid;

-- q2: bids on some auctions
SELECT auction, price FROM bid WHERE auction % 123 = 0;

-- q3: who sells in some states
SELECT p.name, p.city, p.state, a.id
FROM auction AS a INNER JOIN person AS p ON a.seller = p.id
WHERE a.category = 10 AND (p.state = 'or' OR p.state = 'id' OR p.state = 'ca');

-- q4: mean closing price by category
SELECT q.category, AVG(q.final) AS mean
FROM (
    SELECT MAX(b.price) AS final, a.category
    FROM auction AS a, bid AS b
    WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
    GROUP BY a.id, a.category
) AS q
GROUP BY q.category;

-- q5: the auctions with most bids in each hop
SELECT many.auction, many.num
FROM (
    SELECT auction, count(*) AS num, window_start AS starttime
    FROM HOP(bid, date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
    GROUP BY window_start, auction
) AS many
JOIN (
    SELECT max(c.num) AS maxn, c.starttime
    FROM (
        SELECT count(*) AS num, window_start AS starttime
        FROM HOP(bid, date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
        GROUP BY auction, window_start
    ) AS c
    GROUP BY c.starttime
) AS most ON many.starttime = most.starttime AND many.num >= most.maxn;

-- q6: mean of a seller's last ten closing prices
SELECT q.seller,
    AVG(q.final) OVER (
        PARTITION BY q.seller ORDER BY q.date_time ROWS BETWEEN 10 PRECEDING AND CURRENT ROW
    ) AS mean
FROM (
    SELECT ROW_NUMBER() OVER (PARTITION BY a.id, a.seller ORDER BY b.price, b.date_time) AS rank,
           a.seller, b.price AS final, b.date_time
    FROM auction AS a, bid AS b
    WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
) AS q
WHERE q.rank <= 1;

-- q7: the highest bid of each ten seconds
SELECT b.auction, b.price, b.bidder, b.date_time
FROM bid AS b
JOIN (
    SELECT MAX(price) AS maxprice, window_end AS date_time
    FROM TUMBLE(bid, date_time, INTERVAL '10' SECOND)
    GROUP BY window_end
) AS m ON b.price = m.maxprice
WHERE b.date_time BETWEEN m.date_time - INTERVAL '10' SECOND AND m.date_time;

-- q8: who came and sold in the same ten seconds
SELECT p.id, p.name, p.starttime
FROM (
    SELECT id, name, window_start AS starttime, window_end AS endtime
    FROM TUMBLE(person, date_time, INTERVAL '10' SECOND)
    GROUP BY id, name, window_start, window_end
) AS p
JOIN (
    SELECT seller, window_start AS starttime, window_end AS endtime
    FROM TUMBLE(auction, date_time, INTERVAL '10' SECOND)
    GROUP BY seller, window_start, window_end
) AS a ON p.id = a.seller AND p.starttime = a.starttime AND p.endtime = a.endtime;

-- q9: the winning bid of each auction
SELECT id, item_name, description, initial_bid, reserve, date_time, expires, seller, category,
       auction, bidder, price, bid_at
FROM (
    SELECT a.*, b.auction, b.bidder, b.price, b.date_time AS bid_at,
           ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.date_time ASC) AS rownum
    FROM auction AS a, bid AS b
    WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
) AS t
WHERE rownum <= 1;

-- q10: bids with the parts of their instant, as a file sink wants them
SELECT auction, bidder, price, date_time, TO_CHAR(date_time, 'YYYY-MM-DD') AS date,
       TO_CHAR(date_time, 'HH24:MI') AS time
FROM bid;

-- q11: how many bids in each session of a bidder
SELECT bidder, count(*) AS bid_count, starttime, endtime
FROM (
    SELECT bidder, first_value(date_time) OVER w AS starttime, last_value(date_time) OVER w AS endtime
    FROM bid
    WINDOW w AS (PARTITION BY bidder ORDER BY date_time SESSION WITH GAP INTERVAL '10 seconds')
) AS t
GROUP BY bidder, starttime, endtime;

-- q12: how many bids in ten seconds of processing time
SELECT bidder, count(*) AS bid_count, window_start, window_end
FROM TUMBLE(bid, p_time, INTERVAL '10' SECOND)
GROUP BY bidder, window_start, window_end;

-- q13: bids with a side input, as it is when they arrive
SELECT b.auction, b.bidder, b.price, b.date_time, s.value
FROM bid AS b JOIN side_input FOR SYSTEM_TIME AS OF PROCTIME() AS s
ON b.auction % 10000 = s.key;

-- q14: a calculation per bid
SELECT auction, bidder, 0.908 * price AS price,
    CASE WHEN EXTRACT(HOUR FROM date_time) >= 8 AND EXTRACT(HOUR FROM date_time) <= 18
             THEN 'dayTime'
         WHEN EXTRACT(HOUR FROM date_time) <= 6 OR EXTRACT(HOUR FROM date_time) >= 20
             THEN 'nightTime'
         ELSE 'otherTime'
    END AS bid_time_type,
    date_time, LENGTH(extra) - LENGTH(REPLACE(extra, 'c', '')) AS c_counts
FROM bid
WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000;

-- q15: a day's bids, bidders and auctions by rank of price
SELECT TO_CHAR(date_time, 'YYYY-MM-DD') AS day, count(*) AS total_bids,
    count(*) FILTER (WHERE price < 10000) AS rank1_bids,
    count(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
    count(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
    count(DISTINCT bidder) AS total_bidders,
    count(DISTINCT bidder) FILTER (WHERE price < 10000) AS rank1_bidders,
    count(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bidders,
    count(DISTINCT bidder) FILTER (WHERE price >= 1000000) AS rank3_bidders,
    count(DISTINCT auction) AS total_auctions,
    count(DISTINCT auction) FILTER (WHERE price < 10000) AS rank1_auctions,
    count(DISTINCT auction) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_auctions,
    count(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions
FROM bid
GROUP BY TO_CHAR(date_time, 'YYYY-MM-DD');

-- q16: the same by channel
SELECT channel, TO_CHAR(date_time, 'YYYY-MM-DD') AS day,
    MAX(TO_CHAR(date_time, 'HH24:MI')) AS minute, count(*) AS total_bids,
    count(*) FILTER (WHERE price < 10000) AS rank1_bids,
    count(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
    count(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
    count(DISTINCT bidder) AS total_bidders,
    count(DISTINCT bidder) FILTER (WHERE price < 10000) AS rank1_bidders,
    count(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bidders,
    count(DISTINCT bidder) FILTER (WHERE price >= 1000000) AS rank3_bidders,
    count(DISTINCT auction) AS total_auctions,
    count(DISTINCT auction) FILTER (WHERE price < 10000) AS rank1_auctions,
    count(DISTINCT auction) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_auctions,
    count(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions
FROM bid
GROUP BY channel, TO_CHAR(date_time, 'YYYY-MM-DD');

-- q17: a day's figures of each auction
SELECT auction, TO_CHAR(date_time, 'YYYY-MM-DD') AS day, count(*) AS total_bids,
    count(*) FILTER (WHERE price < 10000) AS rank1_bids,
    count(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
    count(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
    min(price) AS min_price, max(price) AS max_price, avg(price) AS avg_price,
    sum(price) AS sum_price
FROM bid
GROUP BY auction, TO_CHAR(date_time, 'YYYY-MM-DD');

-- q18: the last bid of each bidder on each auction
SELECT auction, bidder, price, channel, url, date_time, extra
FROM (
    SELECT *, ROW_NUMBER() OVER (
        PARTITION BY bidder, auction ORDER BY date_time DESC
    ) AS rank_number
    FROM bid
) AS t
WHERE rank_number <= 1;

-- q19: the ten best bids of each auction
SELECT auction, bidder, price, channel, url, date_time, extra, rank_number
FROM (
    SELECT *, ROW_NUMBER() OVER (
        PARTITION BY auction ORDER BY price DESC, date_time
    ) AS rank_number
    FROM bid
) AS t
WHERE rank_number <= 10;

-- q20: bids with their auction
SELECT b.auction, b.bidder, b.price, b.channel, b.url, b.date_time AS bid_at, a.item_name,
       a.description, a.initial_bid, a.reserve, a.date_time, a.expires, a.seller, a.category
FROM bid AS b INNER JOIN auction AS a ON b.auction = a.id
WHERE a.category = 10;

-- q21: channels by name or by link
SELECT auction, bidder, price, channel,
    CASE WHEN LOWER(channel) = 'apple' THEN '0'
         WHEN LOWER(channel) = 'google' THEN '1'
         WHEN LOWER(channel) = 'facebook' THEN '2'
         WHEN LOWER(channel) = 'baidu' THEN '3'
         ELSE (regexp_match(url, '(&|^)channel_id=([^&]*)'))[2]
    END AS channel_id
FROM bid
WHERE (regexp_match(url, '(&|^)channel_id=([^&]*)'))[2] IS NOT NULL
   OR LOWER(channel) IN ('apple', 'google', 'facebook', 'baidu');

-- q22: the folders of a link
SELECT auction, bidder, price, channel, SPLIT_PART(url, '/', 4) AS dir1,
       SPLIT_PART(url, '/', 5) AS dir2, SPLIT_PART(url, '/', 6) AS dir3
FROM bid;
