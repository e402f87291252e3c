"""Make the signed files of `tests/unit/permission/c2pa_files`, with the reference implementation of C2PA.

    pip install c2pa-python cryptography pillow
    python tools/make_c2pa_files.py tests/unit/permission/c2pa_files

The files are kept, so that tests need neither the 16 MB of c2pa-python nor a platform that it has wheels for. The
certificates are made on the spot and worth nothing.
"""

import argparse
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

START = datetime(2026, 1, 1, tzinfo=UTC)
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
CREATED = {
    "label": "c2pa.actions.v2",
    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURED}]},
}


def name(text: str) -> x509.Name:
    """A certificate's subject or issuer."""
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "T")]
    )


def usage(*, signs_files: bool) -> x509.KeyUsage:
    """What a key may sign: files, or certificates."""
    off = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=not signs_files,
        crl_sign=not signs_files,
        encipher_only=False,
        decipher_only=False,
        **off,
    )


def signer() -> c2pa.Signer:
    """With a certificate of an authority of our own."""
    authority, ours = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())

    def certificate(whose: str, key: ec.EllipticCurvePublicKey, number: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(whose))
            .issuer_name(name("Authority"))
            .public_key(key)
            .serial_number(number)
            .not_valid_before(START)
            .not_valid_after(START + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=number == 1, path_length=None), critical=True)
            .add_extension(usage(signs_files=number == 2), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )

    top = certificate("Authority", authority.public_key(), 1).sign(authority, hashes.SHA256())
    leaf = (
        certificate("Signer", ours.public_key(), 2)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(authority, hashes.SHA256())
    )
    chain = leaf.public_bytes(Encoding.PEM) + top.public_bytes(Encoding.PEM)
    key = ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None))


def assertion(generation: str, **uses: str) -> dict[str, object]:
    """A training-mining assertion; generation is `c2pa` or `cawg`."""
    entries = {f"{generation}.{entry}": {"use": use} for entry, use in uses.items()}
    return {"label": f"{generation}.training-mining", "data": {"entries": entries}}


def signed(body: bytes, kind: str, assertions: list[dict[str, object]], parent: bytes = b"", **core: bool) -> bytes:
    """The file with a manifest; with `parent`, one that was made of another signed file."""
    settings = {"core": core, "builder": {"thumbnail": {"enabled": False}}}
    made = [] if parent else [CREATED]
    manifest = {"claim_generator_info": [{"name": "test", "version": "1"}], "title": "t", "format": f"image/{kind}"}
    builder = c2pa.Builder(json.dumps(manifest | {"assertions": made + assertions}), c2pa.Context.from_dict(settings))
    if parent:
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        builder.add_ingredient({"title": "p", "relationship": "parentOf"}, f"image/{kind}", io.BytesIO(parent))
    out = io.BytesIO()
    builder.sign(signer(), f"image/{kind}", io.BytesIO(body), out)
    return out.getvalue()


def picture(kind: str) -> bytes:
    """A small file of the format."""
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize((24, 16)).convert("RGB").quantize(8).convert("RGB").save(out, kind)
    return out.getvalue()


def main() -> None:
    """Write all files, and check each with the reference implementation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    refused = assertion("cawg", ai_generative_training="notAllowed", data_mining="allowed")
    files = {
        f"cawg.{kind}": signed(picture(kind), kind, [refused])
        for kind in ("jpeg", "png", "webp", "gif", "tiff", "avif")
    }
    jpeg = picture("jpeg")
    older = assertion("c2pa", ai_training="constrained", ai_inference="allowed")
    files["c2pa.jpeg"] = signed(jpeg, "jpeg", [older])
    files["allowed.jpeg"] = signed(jpeg, "jpeg", [assertion("cawg", ai_training="allowed", data_mining="allowed")])
    files["silent.jpeg"] = signed(jpeg, "jpeg", [])
    files["compressed.jpeg"] = signed(jpeg, "jpeg", [refused], prefer_compress_manifests=True)
    files["ingredient.jpeg"] = signed(files["cawg.jpeg"], "jpeg", [], parent=files["cawg.jpeg"])
    for file, body in files.items():
        (folder / file).write_bytes(body)
        report = json.loads(c2pa.Reader("image/" + file.rpartition(".")[2], io.BytesIO(body)).json())
        print(file, len(body), report["validation_state"])


if __name__ == "__main__":
    main()
