-- Roles: made, changed, members of each other, dropped; in PostgreSQL's words.
CREATE ROLE fleet;
CREATE USER ann WITH PASSWORD 'correct horse' CREATEDB;
CREATE USER IF NOT EXISTS ann;
CREATE USER ann;
CREATE ROLE bob LOGIN NOINHERIT VALID UNTIL '2030-01-01' CONNECTION LIMIT 2 IN ROLE fleet;
CREATE USER cas WITH NOSUPERUSER NOCREATEDB NOCREATEUSER ENCRYPTED PASSWORD 'x';
CREATE ROLE pg_own;
CREATE ROLE voltstream_own;
CREATE ROLE public;
CREATE USER twice LOGIN LOGIN;
CREATE USER x PASSWORD;
CREATE USER x SYSID 7;
CREATE USER x VALID UNTIL 'some day';
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolconnlimit, rolvaliduntil FROM pg_roles WHERE rolname IN ('fleet', 'ann', 'bob', 'cas', 'volt') ORDER BY rolname;
SELECT usename, usesuper, passwd FROM pg_user WHERE usename IN ('ann', 'volt') ORDER BY 1;
SELECT rolname, left(rolpassword, 19) AS kept FROM pg_authid WHERE rolname IN ('ann', 'bob') ORDER BY 1;
SHOW USERS;

-- Members.
GRANT fleet TO ann WITH ADMIN OPTION;
GRANT fleet TO ann;
GRANT ann TO fleet;
GRANT fleet TO nobody;
GRANT nobody TO ann;
REVOKE fleet FROM cas;
SELECT r.rolname AS role, m.rolname AS member, a.admin_option FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member WHERE r.rolname = 'fleet' ORDER BY 2;
SELECT pg_has_role('ann', 'fleet', 'USAGE') AS inherits, pg_has_role('bob', 'fleet', 'USAGE') AS not_inherited, pg_has_role('bob', 'fleet', 'MEMBER') AS member;
REVOKE ADMIN OPTION FOR fleet FROM ann;
GRANT fleet TO cas;
REVOKE fleet FROM cas;

-- Changes.
ALTER USER cas RENAME TO kas;
ALTER USER kas RENAME TO ann;
ALTER USER volt RENAME TO other;
ALTER USER volt NOLOGIN;
ALTER ROLE kas CREATEROLE NOLOGIN;
ALTER ROLE kas SET search_path = fleet_data, public;
SELECT rolname, rolcreaterole, rolcanlogin, rolconfig FROM pg_roles WHERE rolname = 'kas';
ALTER ROLE kas RESET ALL;
ALTER ROLE nobody NOLOGIN;

-- Who may: a role that may make roles, and one that may not.
-- session one as ann
CREATE ROLE another;
ALTER USER bob PASSWORD 'y';
ALTER USER ann PASSWORD 'better horse';
DROP ROLE bob;
GRANT fleet TO bob;
SELECT current_user, session_user;
SET ROLE fleet;
SELECT current_user, session_user;
SHOW role;
SHOW is_superuser;
SET ROLE bob;
SET ROLE nobody;
SET ROLE NONE;
SELECT current_user;
SET SESSION AUTHORIZATION bob;
SET is_superuser = on;
CREATE DATABASE anns;
DROP DATABASE anns;
SELECT rolpassword FROM pg_authid;
SELECT passwd FROM pg_shadow;
SELECT rolname, rolpassword FROM pg_roles WHERE rolname = 'ann';
-- session two as volt
ALTER ROLE kas LOGIN;
-- session three as kas
CREATE ROLE another;
CREATE ROLE mighty SUPERUSER;
ALTER USER volt PASSWORD 'mine';
GRANT voltstream_owner TO kas;
DROP ROLE another;
-- session two as volt
SET SESSION AUTHORIZATION ann;
SELECT current_user, session_user;
SHOW is_superuser;
CREATE ROLE another;
RESET SESSION AUTHORIZATION;
SELECT current_user, session_user;

-- It is of a transaction like all else.
BEGIN;
CREATE ROLE gone;
SELECT count(*) FROM pg_roles WHERE rolname = 'gone';
ROLLBACK;
SELECT count(*) FROM pg_roles WHERE rolname = 'gone';

-- It lasts.
-- restart
SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname IN ('fleet', 'ann', 'bob', 'kas') ORDER BY 1;

-- Dropped.
DROP USER IF EXISTS nobody;
DROP USER nobody;
DROP USER volt;
DROP ROLE voltstream_reader;
DROP ROLE fleet, ann, bob, kas;
SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE r.rolname = 'fleet';
