import pycurl

from allmende.fetch import wire
from allmende.schema import Reason

# Codes that a server can't bring about: other protocols, wrong use of the library, a broken installation, and the
# numbers of another list (E_MULTI_*). Any of these ends the crawl with an error of ours.
OURS = {
    *("E_OK", "E_FAILED_INIT", "E_NOT_BUILT_IN", "E_URL_MALFORMAT_USER", "E_OUT_OF_MEMORY", "E_READ_ERROR"),
    *("E_BAD_FUNCTION_ARGUMENT", "E_BAD_CALLING_ORDER", "E_FUNCTION_NOT_FOUND", "E_LIBRARY_NOT_FOUND", "E_AGAIN"),
    *("E_UNKNOWN_OPTION", "E_UNKNOWN_TELNET_OPTION", "E_INTERFACE_FAILED", "E_HTTP_PORT_FAILED", "E_CONV_FAILED"),
    *("E_CONV_REQD", "E_SSL_ENGINE_NOTFOUND", "E_SSL_ENGINE_SETFAILED", "E_SSL_ENGINE_INITFAILED", "E_SHARE_IN_USE"),
    *("E_SSL_CACERT_BADFILE", "E_SSL_CRL_BADFILE", "E_NO_CONNECTION_AVAILABLE", "E_CALL_MULTI_PERFORM"),
    *("E_ALREADY_COMPLETE", "E_CHUNK_FAILED", "E_SEND_FAIL_REWIND", "E_MALFORMAT_USER"),
    # we ask for neither of these: proxies, name look-ups, redirects, ranges, posts, log-ins, failing on 4xx
    *("E_COULDNT_RESOLVE_PROXY", "E_COULDNT_RESOLVE_HOST", "E_TOO_MANY_REDIRECTS", "E_RANGE_ERROR", "E_LOGIN_DENIED"),
    *("E_HTTP_RANGE_ERROR", "E_HTTP_POST_ERROR", "E_HTTP_NOT_FOUND", "E_HTTP_RETURNED_ERROR", "E_BAD_DOWNLOAD_RESUME"),
    *("E_BAD_PASSWORD_ENTERED", "E_FILE_COULDNT_READ_FILE", "E_UPLOAD_FAILED", "E_QUOTE_ERROR"),
    *("E_REMOTE_ACCESS_DENIED", "E_REMOTE_DISK_FULL", "E_REMOTE_FILE_EXISTS", "E_REMOTE_FILE_NOT_FOUND"),
    # these have a reason already when they come, because it was us who ended the exchange
    *("E_WRITE_ERROR", "E_ABORTED_BY_CALLBACK"),
}
OTHER_PROTOCOLS = ("E_FTP_", "E_LDAP_", "E_RTSP_", "E_TFTP_", "E_TELNET_", "E_SSH", "E_MULTI_")


def test_no_error_of_libcurl_is_unmapped():
    names = [name for name in dir(pycurl) if name.startswith("E_")]
    unmapped = [
        name
        for name in names
        if getattr(pycurl, name) not in wire.REASONS and name not in OURS and not name.startswith(OTHER_PROTOCOLS)
    ]
    assert unmapped == []


def test_no_error_is_both_a_servers_and_ours():
    assert not {getattr(pycurl, name) for name in OURS} & wire.REASONS.keys()


def test_what_servers_do_is_called_by_a_reason_of_the_fetch():
    assert {reason.stage for reason in wire.REASONS.values()} <= {"fetch", Reason.URL_INVALID.stage}
