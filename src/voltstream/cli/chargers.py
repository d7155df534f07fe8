"""The gateway as the server runs it: its options, its relations and its certificates."""

from __future__ import annotations

import ssl

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.config import OcppSettings, Settings
from voltstream.cli.packs import load_pack
from voltstream.core.errors import InvalidParameter
from voltstream.ocpp.doors import GatewayOptions

# Files of the ocpp pack that the gateway cannot be without; the rest is views.
_NEEDED = ("010_sources.sql", "015_gateway.sql", "016_published.sql")
# Of the whitepaper on security, with ECDHE also for RSA keys; TLS 1.3 brings its own.
_CIPHERS = ":".join([
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
])  # fmt: skip


def gateway_options(settings: Settings) -> GatewayOptions:
    """Tell the gateway what was configured. Raises: InvalidParameter."""
    ocpp = settings.ocpp
    return GatewayOptions(
        host=settings.host,
        port=settings.ocpp_port,
        database=DATABASE,
        user=USER,
        anonymous=ocpp.anonymous,
        strict=ocpp.validation == "strict",
        unknown_chargers=ocpp.unknown_chargers,
        unknown_tokens=ocpp.unknown_tokens,
        heartbeat_s=ocpp.heartbeat_s,
        retry_s=ocpp.retry_s,
        call_s=ocpp.call_s,
        data_transfer=ocpp.data_transfer,
        ping_s=ocpp.ping_s,
        settle_s=ocpp.settle_s,
        settle_gaps_s=ocpp.settle_gaps_s,
        settle_offline_s=ocpp.settle_offline_s,
        tls=_tls(ocpp),
    )


def gateway_ddl() -> list[str]:
    return [text for name, text in load_pack("ocpp").files if name in _NEEDED]


def _tls(ocpp: OcppSettings) -> ssl.SSLContext | None:
    """Return TLS 1.2 or newer, as the security profiles ask for; None without a certificate."""
    if ocpp.tls_certificate is None:
        if ocpp.tls_key is not None or ocpp.tls_client_ca is not None:
            raise InvalidParameter("setting ocpp.tls_certificate is missing")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.set_ciphers(_CIPHERS)
        context.load_cert_chain(ocpp.tls_certificate, ocpp.tls_key)
        if ocpp.tls_client_ca is not None:
            context.load_verify_locations(ocpp.tls_client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
            if ocpp.tls_client_crl is not None:
                context.load_verify_locations(ocpp.tls_client_crl)
                context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    except (OSError, ssl.SSLError) as error:
        raise InvalidParameter(
            f"cannot use the certificates of the ocpp settings: {error}"
        ) from error
    return context
