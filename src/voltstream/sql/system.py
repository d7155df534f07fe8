"""pg_catalog and information_schema: PostgreSQL's names to the views and macros that stand in.

Shape: relations live in the schemas ``_pg`` and ``_is``, functions are macros of ``_pg``. An OID
type (regclass, regtype …) is a number where it is compared and a name where it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from voltstream.sql.catalog import CatalogReader
from voltstream.sql.expressions import output_name
from voltstream.sql.row_functions import ROWS_OF

SCHEMA = "_pg"
INFORMATION_SCHEMA = "_is"
_SCHEMAS = {"pg_catalog": SCHEMA, "information_schema": INFORMATION_SCHEMA}

FUNCTIONS = frozenset((
    "acldefault", "pg_describe_object", "pg_identify_object",
    "array_lower", "array_upper",
    "col_description", "current_database", "current_schema", "current_schemas", "current_setting",
    "current_user", "format_type", "getdatabaseencoding", "has_any_column_privilege",
    "has_column_privilege", "has_database_privilege", "has_foreign_data_wrapper_privilege",
    "has_function_privilege", "has_language_privilege", "has_schema_privilege",
    "has_sequence_privilege", "has_server_privilege", "has_table_privilege",
    "has_tablespace_privilege", "has_type_privilege", "inet_client_addr", "inet_client_port",
    "inet_server_addr", "inet_server_port", "obj_description", "pg_advisory_lock",
    "pg_advisory_unlock", "pg_advisory_unlock_all", "pg_backend_pid", "pg_blocking_pids",
    "pg_cancel_backend", "pg_char_to_encoding", "pg_client_encoding", "pg_collation_is_visible",
    "pg_column_is_updatable", "pg_conf_load_time", "pg_conversion_is_visible",
    "pg_current_xact_id", "pg_database_size", "pg_encoding_to_char", "pg_function_is_visible",
    "pg_get_constraintdef", "pg_get_expr", "pg_get_function_arguments",
    "pg_get_function_identity_arguments", "pg_get_function_result", "pg_get_function_sqlbody",
    "pg_get_functiondef", "pg_get_indexdef", "pg_get_partkeydef", "pg_get_replica_identity_index",
    "pg_get_ruledef", "pg_get_serial_sequence", "pg_get_statisticsobjdef",
    "pg_get_statisticsobjdef_columns", "pg_get_triggerdef", "pg_get_userbyid", "pg_get_viewdef",
    "pg_has_role", "pg_indexes_size", "pg_is_in_recovery", "pg_is_other_temp_schema",
    "pg_is_wal_replay_paused", "pg_listening_channels", "pg_my_temp_schema",
    "pg_notification_queue_usage", "pg_opclass_is_visible",
    "pg_operator_is_visible", "pg_opfamily_is_visible", "pg_partition_ancestors",
    "pg_postmaster_start_time", "pg_relation_is_publishable", "pg_relation_is_updatable",
    "pg_relation_size", "pg_size_pretty", "pg_stat_get_numscans", "pg_statistics_obj_is_visible",
    "pg_table_is_visible", "pg_table_size", "pg_tablespace_location", "pg_tablespace_size",
    "pg_total_relation_size", "pg_try_advisory_lock", "pg_ts_config_is_visible",
    "pg_ts_dict_is_visible", "pg_ts_parser_is_visible", "pg_ts_template_is_visible",
    "pg_type_is_visible", "quote_ident", "quote_literal", "quote_nullable", "row_security_active",
    "rw_recovery_status",
    "session_user", "shobj_description", "to_regclass", "to_regnamespace", "to_regproc",
    "to_regrole", "to_regtype", "txid_current", "version",
))  # fmt: skip
TABLE_FUNCTIONS = frozenset(("pg_get_keywords",))
# What has a node of its own, or looks like a column, in the grammar.
_WORDS = {
    "user": "current_user",
    "current_role": "current_user",
    "current_schema": "current_schema",
}
_NODES: dict[type[exp.Expression], str] = {
    exp.CurrentUser: "current_user",
    exp.SessionUser: "session_user",
    exp.CurrentSchema: "current_schema",
    exp.CurrentCatalog: "current_database",
    exp.CurrentDatabase: "current_database",
    exp.CurrentRole: "current_user",
}
_REG_TYPES = ("regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole")
_STORE_TYPES = {
    "oid": "UINTEGER", "xid": "UINTEGER", "cid": "UINTEGER", "name": "VARCHAR", "char": "VARCHAR",
    "cstring": "VARCHAR", "aclitem": "VARCHAR", "int2vector": "SMALLINT[]",
    "oidvector": "UINTEGER[]", "sql_identifier": "VARCHAR", "character_data": "VARCHAR",
    "cardinal_number": "INTEGER", "yes_or_no": "VARCHAR", "regdictionary": "VARCHAR",
    "regconfig": "VARCHAR", "regoper": "VARCHAR", "regoperator": "VARCHAR", "anyarray": "VARCHAR[]",
}  # fmt: skip
# Functions that return rows: the fields of each.
_ROWS = {
    "_pg_expandarray": ("x", "n"),
    "aclexplode": ("grantor", "grantee", "privilege_type", "is_grantable"),
}
_ZERO_BASED = frozenset(("indkey", "indclass", "indoption", "indcollation", "proargtypes"))
_TEXT_ARGUMENTS = frozenset(("quote_ident", "quote_literal", "format", "regexp_replace", "replace"))
_MENTIONED = re.compile(
    r"pg_(?!notify\b)|rw_recovery|rw_ddl|information_schema|session_user|\buser\b"
    r"|current_(?:user|role|schema|catalog|database|setting|query)"
    r"|::\s*(?:reg|oid|name|xid|\"char)"
    r"|\bas\s+reg(?:class|type|proc|namespace|role|config|dictionary|oper|collation)"
    r"|tableoid|\bversion\s*\(|has_\w+_privilege|\w+_description|\bquote_|\bto_reg|txid_|inet_"
    r"|acldefault|aclexplode|format_type|array_(?:upp|low)er|database\w*\(|row_security|\{",
    re.IGNORECASE,
)


def mentions(text: str) -> bool:
    """Tell whether a statement may name something of the system. Law: never a false no."""
    return _MENTIONED.search(text) is not None


def resolved(tree: exp.Expression, catalog: CatalogReader) -> exp.Expression:
    """Return the tree with system names replaced, in place where it can be."""
    _name_outputs(tree)
    with_names = {cte.alias for cte in tree.find_all(exp.CTE)}

    def is_own(name: str) -> bool:
        relation = None if name in with_names else catalog.find(None, name)
        return name in with_names or (relation is not None and relation.oid != 0)

    for table in list(tree.find_all(exp.Table)):
        _table(table, is_own)
    _replace_table_oids(tree)
    _show_vectors(tree)
    holder = exp.Paren(this=tree)  # The root may be replaced as well.
    for node in list(holder.find_all(*_VISITED, bfs=False))[::-1]:  # Children first.
        found = _node(node)
        if found is not node:
            node.replace(found)
    root: exp.Expression = holder.this
    root.pop()
    return root


# --- relations ----------------------------------------------------------------------------------


def _table(table: exp.Table, is_own: Callable[[str], bool]) -> None:
    if isinstance(table.this, exp.Anonymous):
        _table_function(table, table.this)
        return
    schema, name = table.db, table.name
    if not isinstance(table.this, exp.Identifier):
        return
    if schema in _SCHEMAS:
        table.set("db", exp.to_identifier(_SCHEMAS[schema]))
        table.set("catalog", None)
    elif not schema and name.startswith("pg_") and not is_own(name):
        table.set("db", exp.to_identifier(SCHEMA))


def _replace_table_oids(tree: exp.Expression) -> None:
    """Put a relation's number for its system column tableoid."""
    wanted = [column for column in tree.find_all(exp.Column) if column.name == "tableoid"]
    if not wanted:
        return
    shown = {schema: name for name, schema in _SCHEMAS.items()}
    paths: dict[str, str] = {}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            schema = shown.get(table.db, table.db)
            paths[table.alias_or_name] = f"{schema}.{table.name}" if schema else table.name
    for column in wanted:
        path = paths.get(column.table) if column.table else next(iter(paths.values()), None)
        if path is not None:
            call = _call("regclass_in", [exp.Literal.string(path)])
            named = isinstance(column.parent, exp.Select) and column in column.parent.expressions
            column.replace(exp.alias_(call, "tableoid") if named else call)


def _show_vectors(tree: exp.Expression) -> None:
    """Print int2vector and oidvector as PostgreSQL does: clients split the text at spaces."""
    for item in tree.expressions if isinstance(tree, exp.Select) else ():
        column = item.this if isinstance(item, exp.Alias) else item
        if isinstance(column, exp.Column) and column.name in _ZERO_BASED:
            shown = exp.Anonymous(
                this="array_to_string", expressions=[column.copy(), exp.Literal.string(" ")]
            )
            item.replace(exp.alias_(shown, item.alias_or_name, quoted=True))


def _table_function(table: exp.Table, call: exp.Anonymous) -> None:
    name = call.name.lower()
    if name in TABLE_FUNCTIONS:
        table.set("db", exp.to_identifier(SCHEMA))
        return
    if name == "pg_options_to_table":
        option = exp.column("option", table="listed")
        cut = exp.func("strpos", option.copy(), exp.Literal.string("="), dialect="duckdb")
        parts = [
            exp.alias_(exp.func("split_part", option.copy(), exp.Literal.string("="),
                                exp.Literal.number(1)), "option_name"),
            exp.alias_(exp.Anonymous(this="substr", expressions=[option.copy(), exp.Add(
                this=cut, expression=exp.Literal.number(1))]), "option_value"),
        ]  # fmt: skip
        listed = exp.Anonymous(this="unnest", expressions=[call.expressions[0].copy()])
        unnested = exp.select(exp.alias_(listed, "option"))
        query = exp.select(*parts).from_(unnested.subquery("listed"))
    elif name == "pg_partition_tree":  # Nothing is partitioned: a tree is its root.
        root = exp.alias_(call.expressions[0].copy(), "relid")
        leaf, level = exp.alias_(exp.true(), "isleaf"), exp.alias_(exp.Literal.number(0), "level")
        query = exp.select(root, exp.alias_(exp.null(), "parentrelid"), leaf, level)
    elif name == "pg_identify_object":
        found = exp.select(exp.alias_(_call(name, call.expressions), "found"))
        parts = [
            exp.alias_(exp.func("struct_extract", exp.column("found"), exp.Literal.string(part)),
                       part, quoted=True)
            for part in ("type", "schema", "name", "identity")
        ]  # fmt: skip
        query = exp.select(*parts).from_(found.subquery("identified"))
    elif name in FUNCTIONS:
        query = exp.select(exp.alias_(_call(name, call.expressions), name))
    else:
        return
    alias = table.args.get("alias")
    subquery = query.subquery(name)
    if alias is not None and not alias.args.get("columns"):
        column = exp.to_identifier(alias.name)  # A scalar in FROM is a column of the alias' name.
        alias.set("columns", [column] if name in FUNCTIONS else None)
    if alias is not None:
        subquery.set("alias", alias)
    table.replace(subquery)


# --- expressions --------------------------------------------------------------------------------

_VISITED: tuple[type[exp.Expression], ...] = (
    exp.Anonymous, exp.Column, exp.Cast, exp.Dot, exp.Bracket, exp.Collate, exp.EQ, exp.NEQ,
    *_NODES,
)  # fmt: skip


def _call(name: str, arguments: list[exp.Expression]) -> exp.Expression:
    copies = [argument.copy() for argument in arguments]
    return exp.Anonymous(this=f"{SCHEMA}.{name}", expressions=copies)


def _node(node: exp.Expression) -> exp.Expression:
    match node:
        case exp.Anonymous():
            return _function(node)
        case exp.Column():
            return _column(node)
        case exp.Cast():
            return _cast(node)
        case exp.Dot(
            this=exp.Identifier(this="information_schema"),
            expression=exp.Anonymous() | exp.Explode(),
        ):
            return _child(node, "expression")  # (information_schema._pg_expandarray(x)).n
        case exp.EQ() | exp.NEQ():
            return _compared_with_none(node)
        case exp.Bracket():
            return _subscript(node)
        case exp.Collate() if node.expression.name.lower() == "default":
            return _child(node, "this")
        case _ if type(node) in _NODES:
            return _call(_NODES[type(node)], [])
        case _:
            return node


# Columns of type regproc: here they are the functions' names, and none is "-".
_FUNCTION_COLUMNS = frozenset({
    "typinput", "typoutput", "typreceive", "typsend", "typmodin", "typmodout", "typanalyze",
    "typsubscript", "prosupport", "amhandler",
})  # fmt: skip


def _beside_function(node: exp.Expression) -> bool:
    """Tell whether a value is compared with a column that names a function."""
    side = node
    while isinstance(side.parent, exp.Cast | exp.Paren):  # As text, where it is written so.
        side = side.parent
    if not isinstance(side.parent, exp.EQ | exp.NEQ):
        return False
    other = side.parent.args["expression" if side.arg_key == "this" else "this"]
    return isinstance(other, exp.Column) and other.name.lower() in _FUNCTION_COLUMNS


def _compared_with_none(node: exp.Expression) -> exp.Expression:
    """Let ``typreceive <> 0`` ask for a function that is there."""
    for there in ("this", "expression"):
        value = node.args[there]
        if isinstance(value, exp.Literal) and value.name == "0" and _beside_function(value):
            node.set(there, exp.Literal.string("-"))
    return node


def _child(node: exp.Expression, key: str) -> exp.Expression:
    child: exp.Expression = node.args[key]
    return child


def _function(node: exp.Anonymous) -> exp.Expression:
    name = node.name.lower()
    if isinstance(node.parent, exp.Table) and name in TABLE_FUNCTIONS:
        return node
    if name in _ROWS:
        rows = _call(name, node.expressions)
        if isinstance(node.parent, exp.Table):
            node.parent.set("db", None)
            fields = [exp.Literal.string(field) for field in _ROWS[name]]
            return exp.Anonymous(this=ROWS_OF, expressions=[rows, *fields])
        in_call = isinstance(node.parent, exp.Explode)
        return rows if in_call else exp.Anonymous(this="unnest", expressions=[rows])
    return _call(name, node.expressions) if name in FUNCTIONS else node


def _column(node: exp.Column) -> exp.Expression:
    if node.args.get("db") is not None and node.db in _SCHEMAS:
        node.set("db", None)
    identifier = node.this
    bare = not node.table and isinstance(identifier, exp.Identifier)
    if bare and not identifier.args.get("quoted") and node.name in _WORDS:
        return _call(_WORDS[node.name], [])
    return node


def _subscript(node: exp.Bracket) -> exp.Expression:
    """Count int2vector and oidvector from 0, as PostgreSQL does; they are lists here."""
    if isinstance(node.this, exp.Column) and node.this.name in _ZERO_BASED:
        one = exp.Literal.number(1)
        raised = [
            exp.Add(this=exp.Paren(this=index.copy()), expression=one.copy())
            for index in node.expressions
            if not isinstance(index, exp.Slice)
        ]
        if len(raised) == len(node.expressions):
            node.set("expressions", raised)
    return node


_TO_REGCLASS = f"{SCHEMA}.to_regclass"


def _cast(node: exp.Cast) -> exp.Expression:
    name = _type_name(node.to)
    if name in _REG_TYPES:
        return _oid_typed(node, "regproc" if name == "regprocedure" else name)
    inner = node.this
    if name == "oid" and isinstance(inner, exp.Anonymous) and inner.name == _TO_REGCLASS:
        return _call("to_regclass_oid", inner.expressions)
    _mend_types(node)
    if name == "char":
        return exp.Anonymous(this="left", expressions=[node.copy(), exp.Literal.number(1)])
    return node


def _mend_types(node: exp.Cast) -> None:
    for kind in (node.to, *node.to.find_all(exp.DataType, exp.ObjectIdentifier)):
        name = _type_name(kind)
        if name in _STORE_TYPES:
            spelled = exp.DataType.build(_STORE_TYPES[name], dialect="duckdb")
            if kind is node.to:
                node.set("to", spelled)
            else:
                kind.replace(spelled)
        elif name and _is_qualified(kind):
            kind.replace(exp.DataType.build(name, dialect="postgres"))
        elif name in _REG_TYPES:
            kind.replace(exp.DataType.build("UINTEGER", dialect="duckdb"))


def _type_name(kind: exp.Expression) -> str:
    """Return the name of a type that is not the store's own, in lower case; "" for the others."""
    if isinstance(kind, exp.ObjectIdentifier | exp.PseudoType):
        return str(kind.this).lower()
    if not isinstance(kind, exp.DataType):
        return ""
    if kind.this == exp.DataType.Type.NAME:
        return "name"
    named = kind.args.get("kind")
    if kind.this != exp.DataType.Type.USERDEFINED or named is None:
        return ""
    last = named.expression if isinstance(named, exp.Dot) else named
    return (last.name if isinstance(last, exp.Expression) else str(last)).lower()


def _is_qualified(kind: exp.Expression) -> bool:
    named = kind.args.get("kind")
    return isinstance(named, exp.Dot) and named.this.name == "pg_catalog"


# --- OID types ----------------------------------------------------------------------------------


def _oid_typed(node: exp.Cast, kind: str) -> exp.Expression:
    operand = node.this
    if kind == "regproc" and isinstance(operand, exp.Literal) and _beside_function(node):
        return exp.Literal.string(operand.name.rpartition(".")[2])
    if isinstance(operand, exp.Literal) and operand.is_string and operand.name.isdigit():
        operand = exp.cast(exp.Literal.number(operand.name), "UINTEGER", dialect="duckdb")
    elif _is_text(operand):
        operand = _call(f"{kind}_in", [exp.cast(operand.copy(), "VARCHAR", dialect="duckdb")])
    return _call(f"{kind}_out", [operand]) if _is_shown(node) else operand


def _is_text(operand: exp.Expression) -> bool:
    match operand:
        case exp.Literal():
            return bool(operand.is_string)
        case exp.Parameter() | exp.Placeholder() | exp.DPipe():
            return True
        case exp.Cast():
            return operand.to.is_type(*exp.DataType.TEXT_TYPES)
        case exp.Paren():
            return _is_text(operand.this)
        case exp.Column():
            return operand.name.endswith("name")
        case exp.Anonymous():
            return _plain_name(operand) in _TEXT_ARGUMENTS
        case _:
            return False


def _plain_name(call: exp.Anonymous) -> str:
    return call.name.lower().removeprefix(f"{SCHEMA}.")


def _is_shown(node: exp.Expression) -> bool:
    """Tell whether a value of an OID type is wanted as its name."""
    parent = node.parent
    match parent:
        case exp.Select() | exp.Alias():
            return True
        case exp.Paren():
            return _is_shown(parent)
        case exp.Cast():
            return parent.to.is_type(*exp.DataType.TEXT_TYPES) or _type_name(parent.to) == "name"
        case exp.DPipe():
            return True
        case exp.Anonymous():
            return _plain_name(parent) in _TEXT_ARGUMENTS
        case _:
            return False


# --- names of output columns --------------------------------------------------------------------


def _name_outputs(tree: exp.Expression) -> None:
    """Name what is about to change as PostgreSQL names it: a function by its name."""
    for select in tree.find_all(exp.Select):
        for item in list(select.expressions):
            name = _output_name(item)
            if name and not isinstance(select.parent, exp.Exists | exp.In):
                item.replace(exp.alias_(item.copy(), name, quoted=True))


def _output_name(item: exp.Expression) -> str:
    match item:
        case exp.Anonymous():
            return item.name.lower() if item.name.lower() in FUNCTIONS else ""
        case exp.Column() if not item.table and not item.this.args.get("quoted", False):
            return _WORDS.get(item.name, "")
        case exp.Cast():
            inner = "" if isinstance(item.this, exp.Cast) else _output_name(item.this)
            if inner:
                return inner
            if isinstance(item.this, exp.Column) and _type_name(item.to) in _REG_TYPES:
                return item.this.name
            return output_name(item)
        case exp.CurrentCatalog():
            return "current_catalog"
        case exp.CurrentRole():
            return "current_role"
        case _:
            return _NODES.get(type(item), "")
