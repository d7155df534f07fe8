"""Types of the system catalogs' columns that the store keeps as plain strings and numbers.

Law: a name of a column has one type in all of pg_catalog.
Source: PostgreSQL 15 manual, "System Catalogs" and "System Views".
"""

from __future__ import annotations

from voltstream.core.types import DataType, Kind

_NAMES = (
    "relname nspname attname typname proname conname datname rolname usename groname amname "
    "opcname oprname opfname lanname collname evtname evtevent extname fdwname srvname stxname "
    "spcname subname pubname tgname rulename polname cfgname dictname prsname tmplname "
    "schemaname tablename tableowner viewname viewowner matviewname matviewowner indexname "
    "tablespace sequencename sequenceowner policyname funcname indexrelname umname statistics_name "
    "tgoldtable tgnewtable srvoptions_name client_addr_name slot_name plugin subslotname database"
)
_CHARS = (
    "relkind relpersistence relreplident typtype typcategory typalign typstorage typdelim "
    "attidentity attgenerated attstorage attalign attcompression contype confupdtype confdeltype "
    "confmatchtype deptype prokind provolatile proparallel amtype castcontext castmethod oprkind "
    "aggkind aggfinalmodify aggmfinalmodify defaclobjtype collprovider evtenabled ev_type "
    "ev_enabled tgenabled polcmd srsubstate partstrat datlocprovider subtwophasestate amoppurpose"
)
_FUNCTIONS = (
    "typinput typoutput typreceive typsend typmodin typmodout typanalyze typsubscript prosupport "
    "amhandler aggfnoid aggtransfn aggfinalfn aggcombinefn aggserialfn aggdeserialfn aggmtransfn "
    "aggminvtransfn aggmfinalfn oprcode oprrest oprjoin rngcanonical rngsubdiff conproc amproc "
    "trffromsql trftosql"
)
_ACLS = (
    "relacl nspacl proacl datacl typacl lanacl attacl spcacl fdwacl srvacl defaclacl lomacl paracl"
)
_TREES = (
    "indexprs indpred conbin adbin typdefaultbin ev_qual ev_action relpartbound proargdefaults "
    "polqual polwithcheck prqual prosqlbody stxexprs partexprs tgqual"
)
_XIDS = "relfrozenxid relminmxid datfrozenxid datminmxid transactionid backend_xid backend_xmin"
_BY_KIND = {
    Kind.NAME: _NAMES,
    Kind.CHAR: _CHARS,
    Kind.REGPROC: _FUNCTIONS,
    Kind.PG_NODE_TREE: _TREES,
    Kind.XID: _XIDS,
    Kind.INT2VECTOR: "indkey indoption tgattr stxkeys partattrs",
    Kind.OIDVECTOR: "indclass indcollation proargtypes partclass partcollation",
}
SYSTEM_TYPES: dict[str, DataType] = {
    **{name: DataType(kind) for kind, names in _BY_KIND.items() for name in names.split()},
    **{name: DataType(Kind.ACLITEM, 1) for name in _ACLS.split()},
    "attnames": DataType(Kind.NAME, 1),
    "proargmodes": DataType(Kind.CHAR, 1),
    "stxkind": DataType(Kind.CHAR, 1),
}
_OTHERWISE = DataType(Kind.TEXT)
_IDENTIFIER_ENDS = ("_catalog", "_schema", "_name", "_identifier")
_PLAIN = DataType(Kind.VARCHAR)


def system_type(column: str) -> DataType:
    """Return the type of a column of pg_catalog that is a string in the store."""
    return SYSTEM_TYPES.get(column, _OTHERWISE)


def information_type(column: str) -> DataType:
    """Return the type beneath a string of information_schema: all of them are domains."""
    return DataType(Kind.NAME) if column.endswith(_IDENTIFIER_ENDS) else _PLAIN
