-- The example vector of FIPS 197, appendix C.1.
SELECT encrypt('\x00112233445566778899aabbccddeeff', '\x000102030405060708090a0b0c0d0e0f', 'aes-ecb/pad:none');
SELECT encode(decrypt(encrypt('meter 7 of feeder north', 'key of the depot', 'aes'), 'key of the depot', 'aes-cbc/pad:pkcs'), 'escape') AS plain;
CREATE TABLE secret_read (id INT, sealed BYTEA);
INSERT INTO secret_read SELECT n, encrypt(n::text::bytea, 'short', 'aes-cbc') FROM generate_series(1, 3) AS s(n);
INSERT INTO secret_read VALUES (4, '\x00');
CREATE MATERIALIZED VIEW opened AS SELECT id, convert_from(decrypt(sealed, 'short', 'aes-cbc'), 'UTF8') AS plain FROM secret_read;
SELECT * FROM opened ORDER BY id;
SELECT decrypt('\x00', 'short', 'aes');
SELECT encrypt('abc', 'short', 'aes/pad:none');
SELECT encrypt('abc', 'short', 'rot13');
SELECT encrypt('abc', repeat('k', 33)::bytea, 'aes');
SELECT encrypt(NULL, 'short', 'aes') IS NULL AS nothing;
