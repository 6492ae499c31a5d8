"""The zip archives of ``torch.jit.save`` and ``torch.export.save``, with the same bytes for the same program."""

import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, ZipInfo

#: PyTorch maps tensors into memory where they lie, and its kernels want them aligned.
ALIGNMENT = 64
#: The first fields of a record in a zip file have this length; its name and extra field follow.
HEADER_LENGTH = 30
#: The extra field that PyTorch itself pads with.
PADDING_ID = 0x4246
#: They change without the program changing: source files with their folders, and a hash that covers those.
DROPPED = (".debug_pkl", "/.data/serialization_id")


def write(file: Path, content: bytes, dropped: tuple[str, ...] = DROPPED) -> None:
    """Write the archive ``content``, normalised, to ``file``.

    Records come in the order of their names, uncompressed (another zlib compresses differently), without time stamps,
    each aligned; those whose names end in one of ``dropped`` are left out.
    """
    with ZipFile(BytesIO(content)) as old, ZipFile(file, "w") as new:
        for name in sorted(old.namelist()):
            if not name.endswith(dropped):
                new.writestr(_header(name, new.fp.tell()), old.read(name))  # type: ignore[union-attr]


def _header(name: str, offset: int) -> ZipInfo:
    info = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # otherwise Windows writes another number than Unix
    start = offset + HEADER_LENGTH + len(name.encode()) + 4  # the extra field begins with its id and length
    padding = -start % ALIGNMENT
    info.extra = struct.pack("<HH", PADDING_ID, padding) + bytes(padding)
    return info
