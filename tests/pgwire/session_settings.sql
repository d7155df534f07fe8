-- One statement a line; each answers as PostgreSQL 15 does.
set timezone='UTC'
show timezone
set time zone 'Europe/Berlin'
show time zone
set time zone 2
select timestamptz '2020-01-01 00:00+00'
set time zone -3.5
select timestamptz '2020-01-01 00:00+00'
set time zone interval '+05:30' hour to minute
select timestamptz '2020-01-01 00:00+00'
set time zone default
set timezone='utc'
show timezone
set time zone 'EST5EDT'
select timestamptz '2020-07-01 00:00+00'
set timezone='Mars/Phobos'
set timezone='UTC'
set datestyle to 'postgres, european'
show datestyle
set datestyle to default
show DateStyle
set datestyle = iso
set datestyle = sql, dmy
show datestyle
reset datestyle
set intervalstyle = 'ISO_8601'
show intervalstyle
reset intervalstyle
set bytea_output = ESCAPE
show bytea_output
reset bytea_output
set extra_float_digits = 4
set extra_float_digits = -16
set extra_float_digits = '2'
show extra_float_digits
set extra_float_digits = 'abc'
set statement_timeout = '1.5s'
show statement_timeout
set statement_timeout = 90000
show statement_timeout
set statement_timeout = '2h'
show statement_timeout
set statement_timeout = '1500us'
show statement_timeout
set statement_timeout = -1
set statement_timeout = '5 parsecs'
set statement_timeout = 0
set lock_timeout = '250ms'
show lock_timeout
select setting, unit, vartype, context, min_val, max_val, reset_val, boot_val from pg_settings where name='lock_timeout'
select name, setting, vartype, enumvals from pg_settings where name in ('bytea_output','IntervalStyle') order by 1
reset lock_timeout
set application_name = 'grün'
show application_name
reset application_name
set standard_conforming_strings = on
set client_encoding = 'utf-8'
show client_encoding
set names 'LATIN1'
show client_encoding
set names default
show client_encoding
set client_min_messages = 'warning'
set client_min_messages = 'loud'
reset client_min_messages
begin
set local statement_timeout = '7s'
show statement_timeout
savepoint a
set statement_timeout = '8s'
show statement_timeout
rollback to a
show statement_timeout
commit
show statement_timeout
begin
set statement_timeout = '9s'
select 1/0
show statement_timeout
rollback
show statement_timeout
begin isolation level serializable read only
show transaction_isolation
show transaction_read_only
commit
show transaction_isolation
select set_config('statement_timeout','3s',false)
show statement_timeout
begin
select set_config('statement_timeout','4s',true)
show statement_timeout
commit
show statement_timeout
select current_setting('statement_timeout')
select current_setting('no.such')
select current_setting('no.such', true)
set my.custom = 'x'
select current_setting('my.custom')
reset my.custom
show my.custom
set server_version = '1'
set is_superuser = off
set max_connections = 5
reset all
show statement_timeout
show search_path
set search_path to public
show search_path
set search_path = "A b", public
show search_path
reset search_path
set session characteristics as transaction isolation level repeatable read
show default_transaction_isolation
reset default_transaction_isolation
set default_transaction_read_only = yes
show default_transaction_read_only
set default_transaction_read_only = maybe
reset default_transaction_read_only
discard plans
discard temp
discard sequences
discard all
discard foo
listen
notify
unlisten
listen "a b"
unlisten nothing_here
select pg_notification_queue_usage()
set transaction isolation level serializable
set row_security = off
reset row_security
select name from pg_settings where name = 'TimeZone'
select current_setting('DateStyle'), current_setting('datestyle')
show transaction isolation level
select extract(timezone from timestamptz '2020-01-01')
