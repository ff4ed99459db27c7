"""AES-GCM under one key, as cryptography does it. Importing this takes memory: only who has a key does."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from smart_meter_reader.codecs.ciphering.keys import TAG_LENGTH


class AesGcm:
    """One key. ``additional`` are the bytes that are authenticated without being encrypted."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES(key)
        # Kept, since making one costs ten times as much as a block. GCM itself is made of such blocks.
        self._blocks = Cipher(self._algorithm, modes.ECB()).encryptor()  # noqa: S305 - never used for more than one block

    def __repr__(self) -> str:
        return "AesGcm(key hidden)"

    def open(self, nonce: bytes, tag: bytes, additional: bytes, ciphertext: bytes) -> bytes | None:
        """The plaintext; None when the tag does not vouch for all of it."""
        mode = modes.GCM(nonce, tag, min_tag_length=TAG_LENGTH)
        decryptor = Cipher(self._algorithm, mode).decryptor()
        decryptor.authenticate_additional_data(additional)
        try:
            return decryptor.update(ciphertext) + decryptor.finalize()
        except InvalidTag:
            return None

    def decrypt_unverified(self, nonce: bytes, ciphertext: bytes) -> bytes:
        """The plaintext whatever the tag: GCM is counter mode from 2 on (NIST SP 800-38D, 7.2)."""
        counter = nonce + (2).to_bytes(4, "big")
        decryptor = Cipher(self._algorithm, modes.CTR(counter)).decryptor()
        return decryptor.update(ciphertext) + decryptor.finalize()

    def first_block(self, nonce: bytes, ciphertext: bytes) -> bytes:
        """The first 16 bytes that ``decrypt_unverified`` gives."""
        block = ciphertext[:16]
        stream = self._blocks.update(nonce + (2).to_bytes(4, "big"))[: len(block)]
        return (int.from_bytes(stream, "big") ^ int.from_bytes(block, "big")).to_bytes(len(block), "big")

    def seal(self, nonce: bytes, additional: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
        """Ciphertext and tag."""
        encryptor = Cipher(self._algorithm, modes.GCM(nonce, None, TAG_LENGTH)).encryptor()
        encryptor.authenticate_additional_data(additional)
        return encryptor.update(plaintext) + encryptor.finalize(), encryptor.tag[:TAG_LENGTH]
