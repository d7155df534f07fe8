"""Roles, owners and privileges: relations of pg_catalog and the functions that ask."""

from __future__ import annotations

from voltstream.store.pg_catalog.routines import OWNER, OWNER_OID

# As the engine tells them; see ``relations.DEFINED``.
DEFINED = {
    "defined_roles": "oid BIGINT, name VARCHAR, is_super BOOLEAN, inherits BOOLEAN, "
    "makes_roles BOOLEAN, makes_databases BOOLEAN, logs_in BOOLEAN, connections BIGINT, "
    "verifier VARCHAR, valid_until VARCHAR, config VARCHAR[]",
    "defined_members": "role BIGINT, member BIGINT, grantor BIGINT, "
    "is_admin BOOLEAN, inherits BOOLEAN, may_set BOOLEAN",
    "defined_reach": "role BIGINT, reached BIGINT, inherits BOOLEAN",
    "defined_rights": "kind VARCHAR, oid BIGINT, schema VARCHAR, owner BIGINT, acl VARCHAR[]",
    "defined_grants": "kind VARCHAR, oid BIGINT, schema VARCHAR, grantee BIGINT, grantor BIGINT, "
    "letter VARCHAR, by_nature BOOLEAN",
    "defined_column_rights": "oid BIGINT, name VARCHAR, acl VARCHAR[]",
    "defined_column_grants": "oid BIGINT, name VARCHAR, grantee BIGINT, grantor BIGINT, "
    "letter VARCHAR",
    "defined_standards": "owner BIGINT, schema VARCHAR, kind VARCHAR, acl VARCHAR[]",
}
_GUEST = "_pg.session_user() NOT IN (SELECT name FROM _pg.defined_roles)"
_GUEST_OID = "_pg.digest_oid(_pg.session_user())"
BASE = (
    # Who is no role is the owner under another name.
    "VIEW every_role AS SELECT oid, name, is_super, inherits, makes_roles, makes_databases, "
    "logs_in, connections, verifier, valid_until, config FROM _pg.defined_roles UNION ALL SELECT "
    f"{_GUEST_OID}, _pg.session_user(), is_super, inherits, makes_roles, makes_databases, logs_in, "
    f"connections, NULL, NULL, NULL FROM _pg.defined_roles WHERE oid = {OWNER_OID} AND {_GUEST}",
    "VIEW k_roles AS SELECT CAST(oid AS UINTEGER) AS _oid, name AS _name, is_super AS _is_super "
    "FROM _pg.every_role",
    "VIEW k_reach AS SELECT CAST(role AS UINTEGER) AS _role, CAST(reached AS UINTEGER) AS "
    f"_reached, inherits AS _inherits FROM _pg.defined_reach UNION ALL SELECT {_GUEST_OID}, "
    f"reached, inherits FROM _pg.defined_reach WHERE role = {OWNER_OID} AND {_GUEST} "
    f"UNION ALL SELECT {_GUEST_OID}, {_GUEST_OID}, true WHERE {_GUEST}",
    "VIEW every_grant AS SELECT kind, CAST(CASE kind WHEN 'schema' THEN _pg.namespace_oid(schema) "
    "WHEN 'database' THEN 5 ELSE oid END AS UINTEGER) AS oid, CAST(grantee AS UINTEGER) AS "
    "grantee, CAST(grantor AS UINTEGER) AS grantor, letter, by_nature FROM _pg.defined_grants",
    "VIEW k_allowed AS SELECT r._role, g.oid AS _oid, g.letter AS _letter FROM _pg.every_grant g "
    "JOIN _pg.k_reach r ON r._reached = g.grantee WHERE r._inherits UNION ALL "
    "SELECT r._oid, g.oid, g.letter FROM _pg.every_grant g, _pg.k_roles r WHERE g.grantee = 0",
    "VIEW k_allowed_columns AS SELECT r._role, CAST(g.oid AS UINTEGER) AS _oid, g.name AS _column, "
    "CAST(c.number AS VARCHAR) AS _place, g.letter AS _letter FROM _pg.defined_column_grants g "
    "JOIN _pg.columns c ON c.relation = g.oid AND c.name = g.name JOIN (SELECT _role, _reached "
    "FROM _pg.k_reach WHERE _inherits UNION ALL SELECT _oid, 0 FROM _pg.k_roles) r "
    "ON r._reached = g.grantee",
    "VIEW k_guarded AS SELECT DISTINCT oid AS _oid FROM _pg.every_grant",
    "VIEW owners AS SELECT CAST(CASE kind WHEN 'schema' THEN _pg.namespace_oid(schema) "
    "WHEN 'database' THEN 5 ELSE oid END AS UINTEGER) AS oid, CAST(owner AS UINTEGER) AS owner, "
    "acl FROM _pg.defined_rights",
    "VIEW k_owners AS SELECT o.oid AS _oid, r.name AS _name FROM _pg.owners o "
    "JOIN _pg.every_role r ON r.oid = o.owner",
    "MACRO owner_of(o) AS coalesce((SELECT max(_name) FROM _pg.k_owners WHERE _oid = o), "
    f"'{OWNER}')",
)
VIEWS = (
    "VIEW pg_authid AS SELECT CAST(oid AS UINTEGER) AS oid, name AS rolname, is_super AS rolsuper, "
    "inherits AS rolinherit, makes_roles AS rolcreaterole, makes_databases AS rolcreatedb, "
    "logs_in AS rolcanlogin, false AS rolreplication, is_super AS rolbypassrls, "
    "CAST(connections AS INTEGER) AS rolconnlimit, verifier AS rolpassword, "
    "CAST(valid_until AS TIMESTAMPTZ) AS rolvaliduntil FROM _pg.every_role",
    "VIEW pg_roles AS SELECT name AS rolname, is_super AS rolsuper, inherits AS rolinherit, "
    "makes_roles AS rolcreaterole, makes_databases AS rolcreatedb, logs_in AS rolcanlogin, "
    "false AS rolreplication, CAST(connections AS INTEGER) AS rolconnlimit, '********' AS "
    "rolpassword, CAST(valid_until AS TIMESTAMPTZ) AS rolvaliduntil, is_super AS rolbypassrls, "
    "config AS rolconfig, CAST(oid AS UINTEGER) AS oid FROM _pg.every_role",
    "VIEW pg_user AS SELECT rolname AS usename, oid AS usesysid, rolcreatedb AS usecreatedb, "
    "rolsuper AS usesuper, rolreplication AS userepl, rolbypassrls AS usebypassrls, "
    "'********' AS passwd, rolvaliduntil AS valuntil, rolconfig AS useconfig "
    "FROM _pg.pg_roles WHERE rolcanlogin",
    "VIEW pg_shadow AS SELECT a.rolname AS usename, a.oid AS usesysid, a.rolcreatedb AS "
    "usecreatedb, a.rolsuper AS usesuper, a.rolreplication AS userepl, a.rolbypassrls AS "
    "usebypassrls, a.rolpassword AS passwd, a.rolvaliduntil AS valuntil, r.rolconfig AS useconfig "
    "FROM _pg.pg_authid a JOIN _pg.pg_roles r USING (oid) WHERE a.rolcanlogin",
    "VIEW pg_group AS SELECT r.rolname AS groname, r.oid AS grosysid, (SELECT list(CAST(m.member "
    "AS UINTEGER)) FROM _pg.defined_members m WHERE m.role = r.oid) AS grolist FROM _pg.pg_roles r "
    "WHERE NOT r.rolcanlogin",
    "VIEW pg_auth_members AS SELECT CAST(role AS UINTEGER) AS roleid, CAST(member AS UINTEGER) "
    "AS member, CAST(grantor AS UINTEGER) AS grantor, is_admin AS admin_option, "
    "inherits AS inherit_option, may_set AS set_option FROM _pg.defined_members",
    "VIEW pg_default_acl AS SELECT _pg.digest_oid('standard ' || owner || schema || kind) AS oid, "
    "CAST(owner AS UINTEGER) AS defaclrole, CASE schema WHEN '' THEN 0::UINTEGER ELSE "
    "_pg.namespace_oid(schema) END AS defaclnamespace, kind AS defaclobjtype, acl AS defaclacl "
    "FROM _pg.defined_standards",
)
_LETTERS = (
    "CASE upper(split_part(trim(w), ' ', 1)) WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' "
    "WHEN 'UPDATE' THEN 'w' WHEN 'DELETE' THEN 'd' WHEN 'TRUNCATE' THEN 'D' WHEN 'REFERENCES' "
    "THEN 'x' WHEN 'TRIGGER' THEN 't' WHEN 'USAGE' THEN 'U' WHEN 'CREATE' THEN 'C' WHEN 'CONNECT' "
    "THEN 'c' WHEN 'TEMPORARY' THEN 'T' WHEN 'TEMP' THEN 'T' WHEN 'EXECUTE' THEN 'X' ELSE 'm' END "
    "|| CASE WHEN upper(w) LIKE '% WITH GRANT OPTION' THEN '*' ELSE '' END"
)
_TABLE_WORDS = "SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER MAINTAIN"
_COLUMN_WORDS = "SELECT INSERT UPDATE REFERENCES"
_RELATION = "_pg.regclass_in(CAST(o AS VARCHAR))"
# What is asked about, the words of its privileges, and how it is found.
_ASKED = (
    ("table", _TABLE_WORDS, _RELATION),
    ("schema", "CREATE USAGE", "_pg.regnamespace_at(CAST(o AS VARCHAR))"),
    ("database", "CREATE CONNECT TEMPORARY TEMP", "_pg.database_in(CAST(o AS VARCHAR))"),
    ("function", "EXECUTE", "_pg.regproc_in(CAST(o AS VARCHAR))"),
)
# Everybody may use them: there is nothing to grant.
_ALWAYS = (
    ("sequence", "USAGE SELECT UPDATE"), ("tablespace", "CREATE"), ("type", "USAGE"),
    ("language", "USAGE"), ("server", "USAGE"), ("foreign_data_wrapper", "USAGE"),
)  # fmt: skip


def _letters(words: str) -> str:
    allowed = ", ".join(f"'{word}'" for word in words.split())
    return f"_pg.letters(p, [{allowed}])"


def _asking(name: str, words: str, thing: str) -> str:
    """Return has_<name>_privilege(user, thing, privilege), also without the user."""
    asked = "_pg.holds(_pg.role_oid({}), " + thing + f", {_letters(words)})"
    mine = asked.format("_pg.current_user()")
    return f"MACRO has_{name}_privilege(o, p) AS {mine}, (u, o, p) AS {asked.format('u')}"


def _of_column(user: str) -> str:
    role, letters = f"_pg.role_oid({user})", _letters(_COLUMN_WORDS)
    return (
        f"_pg.holds({role}, {_RELATION}, {letters}) OR "
        f"_pg.holds_column({role}, {_RELATION}, c, {letters})"
    )


def _of_any(user: str) -> str:
    role, letters = f"_pg.role_oid({user})", _letters(_COLUMN_WORDS)
    return (
        f"_pg.holds({role}, {_RELATION}, {letters}) OR "
        f"_pg.holds_any_column({role}, {_RELATION}, {letters})"
    )


MACROS = (
    r"MACRO database_in(word) AS CASE WHEN regexp_full_match(word, '\d+') THEN 5::UINTEGER ELSE "
    "coalesce((SELECT min(5::UINTEGER) FROM _pg.pg_database WHERE datname = word), "
    "CAST(error('database \"' || word || '\" does not exist') AS UINTEGER)) END",
    r"MACRO regnamespace_at(path) AS CASE WHEN regexp_full_match(path, '\d+') THEN CAST(path AS "
    "UINTEGER) ELSE _pg.regnamespace_in(path) END",
    r"MACRO role_oid(u) AS CASE WHEN lower(CAST(u AS VARCHAR)) = 'public' THEN 0::UINTEGER WHEN "
    r"regexp_full_match(CAST(u AS VARCHAR), '\d+') THEN CAST(CAST(u AS VARCHAR) AS UINTEGER) ELSE "
    "_pg.regrole_in(CAST(u AS VARCHAR)) END",
    "MACRO letters(p, allowed) AS list_transform(string_split(p, ','), lambda w: CASE WHEN "
    r"list_contains(allowed, regexp_replace(upper(trim(w)), '\s+WITH GRANT OPTION$', '')) THEN "
    f"{_LETTERS} ELSE CAST(error('unrecognized privilege type: \"' || trim(w) || '\"') AS VARCHAR) "
    "END)",
    # What has no grants of its own is the system's, which everybody may read and use.
    "MACRO holds(r, o, ls) AS o IS NOT NULL AND ((SELECT count(*) FROM _pg.k_roles WHERE _oid = r "
    "AND _is_super) > 0 AND len(ls) > 0 OR (SELECT count(*) FROM _pg.k_guarded WHERE _oid = o) = 0 "
    "AND list_has_any(ls, ['r', 'U', 'X']) OR (SELECT count(*) FROM _pg.k_allowed WHERE _role = r "
    "AND _oid = o AND list_contains(ls, _letter)) > 0)",
    *(_asking(*kind) for kind in _ASKED),
    "MACRO holds_column(r, o, c, ls) AS (SELECT count(*) FROM _pg.k_allowed_columns WHERE "
    "_role = r AND _oid = o AND CAST(c AS VARCHAR) IN (_column, _place) AND "
    "list_contains(ls, _letter)) > 0",
    "MACRO holds_any_column(r, o, ls) AS (SELECT count(*) FROM _pg.k_allowed_columns WHERE "
    "_role = r AND _oid = o AND list_contains(ls, _letter)) > 0",
    f"MACRO has_column_privilege(o, c, p) AS {_of_column('_pg.current_user()')}, "
    f"(u, o, c, p) AS {_of_column('u')}",
    f"MACRO has_any_column_privilege(o, p) AS {_of_any('_pg.current_user()')}, "
    f"(u, o, p) AS {_of_any('u')}",
    *(
        f"MACRO has_{what}_privilege(o, p) AS len({_letters(words)}) > 0, "
        f"(u, o, p) AS len({_letters(words)}) > 0"
        for what, words in _ALWAYS
    ),
    "MACRO is_member(u, o, p) AS (SELECT count(*) FROM _pg.k_roles WHERE _oid = _pg.role_oid(u) "
    "AND _is_super) > 0 OR (SELECT count(*) FROM _pg.k_reach WHERE _role = _pg.role_oid(u) AND "
    "_reached = _pg.role_oid(o) AND (_inherits OR upper(p) LIKE 'MEMBER%')) > 0",
    "MACRO pg_has_role(o, p) AS _pg.is_member(_pg.current_user(), o, p), "
    "(u, o, p) AS _pg.is_member(u, o, p)",
)
_WORDS = (
    "(VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE'), "
    "('D', 'TRUNCATE'), ('x', 'REFERENCES'), ('t', 'TRIGGER'), ('U', 'USAGE'), ('X', 'EXECUTE')) "
    "AS w(letter, word)"
)
_ENABLED = "SELECT _reached FROM _pg.k_reach WHERE _role = _pg.role_oid(_pg.current_user())"
INFORMATION_VIEWS = (
    "VIEW granted AS SELECT _pg.pg_get_userbyid(g.grantor) AS grantor, CASE g.grantee WHEN 0 THEN "
    "'PUBLIC' ELSE _pg.pg_get_userbyid(g.grantee) END AS grantee, g.kind, g.oid, w.word, "
    "CASE WHEN g.grantee = o.owner OR g.letter || '*' IN (SELECT x.letter FROM _pg.every_grant x "
    "WHERE x.oid = g.oid AND x.grantee = g.grantee AND x.grantor = g.grantor) THEN 'YES' ELSE "
    "'NO' END AS is_grantable, g.grantee AS _grantee, g.grantor AS _grantor "
    f"FROM _pg.every_grant g JOIN {_WORDS} ON w.letter = g.letter JOIN _pg.owners o ON "
    "o.oid = g.oid WHERE NOT g.by_nature",
    "VIEW table_privileges AS SELECT grantor, grantee, _pg.current_database() AS table_catalog, "
    "r.schema AS table_schema, r.name AS table_name, word AS privilege_type, is_grantable, "
    "CASE word WHEN 'SELECT' THEN 'YES' ELSE 'NO' END AS with_hierarchy FROM _is.granted g "
    f"JOIN _pg.relations r USING (oid) WHERE _grantee IN ({_ENABLED}) OR _grantor IN ({_ENABLED}) "
    "OR _grantee = 0",
    "VIEW role_table_grants AS FROM _is.table_privileges WHERE grantee <> 'PUBLIC'",
    "VIEW usage_privileges AS SELECT grantor, grantee, _pg.current_database() AS object_catalog, "
    "n.name AS object_schema, n.name AS object_name, 'SCHEMA' AS object_type, word AS "
    "privilege_type, is_grantable FROM _is.granted JOIN _pg.namespaces n USING (oid) "
    "WHERE word = 'USAGE'",
    f"VIEW enabled_roles AS SELECT _name AS role_name FROM _pg.k_roles WHERE _oid IN ({_ENABLED})",
    "VIEW applicable_roles AS SELECT u._name AS grantee, r._name AS role_name, CASE WHEN "
    "m.is_admin THEN 'YES' ELSE 'NO' END AS is_grantable FROM _pg.defined_members m "
    "JOIN _pg.k_roles u ON u._oid = m.member JOIN _pg.k_roles r ON r._oid = m.role "
    f"WHERE m.member IN ({_ENABLED})",
)
