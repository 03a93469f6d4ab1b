"""Sample images, made by hand as each format's specification has them: one of each form that the cloud takes, and those that were
made to harm whoever reads them."""

import json
import struct
import uuid

SIZE = 1 << 20
SECTORS = SIZE >> 9


class Sample:
    """The bytes of an image. What is not put there is zero."""

    def __init__(self, count):
        self.bytes = bytearray(count)

    def put(self, at, part):
        part = part.encode() if isinstance(part, str) else part
        self.bytes[at : at + len(part)] = part
        return self

    def number(self, at, form, value):
        return self.put(at, struct.pack(form, value))


def raw():
    """Noise: an empty disk would be as good a raw one, but also the beginning of much else."""
    return Sample(0).put(0, bytes((at * 31 + (at >> 8)) & 0xFF for at in range(100_352)))


def gpt():
    disk = Sample(100_352).number(446 + 4, "B", 0xEE).put(446 + 1, b"\0\2\0").put(446 + 5, b"\xff\xff\xff").number(446 + 8, "<I", 1).number(446 + 12, "<I", 195).put(510, b"\x55\xaa")
    return disk.put(512, "EFI PART").number(512 + 12, "<I", 92).number(512 + 80, "<I", 128).number(512 + 84, "<I", 128)


def iso():
    disk = Sample(40 * 2048)
    for big, little, at, value in ((">I", "<I", 80, 40), (">H", "<H", 128, 2048)):
        half = struct.calcsize(big)
        disk.number(32768 + at, little, value).number(32768 + at + half, big, value)
    return disk.put(32768, b"\x01CD001\x01").put(16 * 2048 + 2048, b"\xffCD001\x01")


def luks(version=1):
    return Sample(8192).put(0, b"LUKS\xba\xbe").number(6, ">H", version).number(104, ">I", 8).number(108, ">I", 64)


def qcow2(version=3):
    """Its header, the table of its reference counts, the counts, the table of its clusters."""
    cluster = 1 << 16
    image = Sample(4 * cluster).put(0, b"QFI\xfb").number(4, ">I", version).number(20, ">I", 16).number(24, ">Q", SIZE)
    image.number(36, ">I", 1).number(40, ">Q", 3 * cluster).number(48, ">Q", cluster).number(56, ">I", 1)
    if version == 3:
        image.number(96, ">I", 4).number(100, ">I", 104)
    image.number(cluster, ">Q", 2 * cluster)
    for count in range(4):
        image.number(2 * cluster + 2 * count, ">H", 1)
    return image


def qcow2_backing_file():
    return qcow2().number(8, ">Q", 512).number(16, ">I", len("/etc/passwd")).put(512, "/etc/passwd")


def qcow2_data_file():
    image = qcow2().number(72, ">Q", 4)
    return image.number(104, ">I", 0x44415441).number(108, ">I", len("/etc/passwd")).put(112, "/etc/passwd")


DESCRIPTOR = """# Disk DescriptorFile
version=1
CID=e781122b
parentCID=ffffffff
createType="{kind}"

# Extent description
{extent}

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "4"
ddb.geometry.cylinders = "2"
ddb.geometry.heads = "16"
ddb.geometry.sectors = "63"
ddb.adapterType = "ide"
"""


def vmdk(kind="monolithicSparse", extent=f'RW {SECTORS} SPARSE "disk.vmdk"'):
    image = Sample(65536)
    vmdk_header(image, 0)
    return image.put(512, DESCRIPTOR.format(kind=kind, extent=extent))


def vmdk_header(image, at, directory=21):
    image.put(at, "KDMV")
    for place, form, value in ((4, "<I", 1), (8, "<I", 3), (12, "<Q", SECTORS), (20, "<Q", 128), (28, "<Q", 1), (36, "<Q", 20),
                               (44, "<I", 512), (56, "<Q", directory), (64, "<Q", 26)):
        image.number(at + place, form, value)


def vmdk_stream():
    """What its header does not say of the tables is in its footer."""
    image = vmdk("streamOptimized").number(56, "<Q", (1 << 64) - 1)
    marker = len(image.bytes) - 1536
    image.number(marker, "<Q", 1).number(marker + 12, "<I", 3)
    vmdk_header(image, marker + 512)
    return image


def vmdk_flat():
    return Sample(0).put(0, DESCRIPTOR.format(kind="monolithicFlat", extent=f'RW {SECTORS} FLAT "/etc/passwd" 0')).put(1023, b"\0")


def vhd_footer(image, at, kind, size, data):
    image.put(at, "conectix").number(at + 12, ">I", 0x10000).number(at + 16, ">Q", data)
    return image.number(at + 40, ">Q", size).number(at + 48, ">Q", size).number(at + 60, ">I", kind)


def vhd(kind=3):
    """Dynamic; of kind 4 it has a parent."""
    image = vhd_footer(Sample(2560), 0, kind, SIZE, 512).put(512, "cxsparse")
    image.number(512 + 28, ">I", 1).number(512 + 32, ">I", 2 << 20).put(1536, b"\xff" * 512)
    return vhd_footer(image, 2048, kind, SIZE, 512)


def vhd_fixed():
    image = raw()
    size = len(image.bytes)
    image.bytes += bytes(512)
    return vhd_footer(image, size, 2, size, (1 << 64) - 1)


def vhdx(parent=False):
    image = Sample(3 << 20).put(0, "vhdxfile")
    for sequence, at in enumerate((64 << 10, 128 << 10)):
        image.put(at, "head").number(at + 8, "<Q", sequence)
        image.number(at + 4, "<I", crc32c(image.bytes[at : at + 4096]))
    for at in (192 << 10, 256 << 10):
        image.put(at, "regi").number(at + 8, "<I", 1).put(at + 16, guid("8b7ca206-4790-4b9a-b8fe-575f050f886e"))
        image.number(at + 32, "<Q", 2 << 20).number(at + 40, "<I", 1 << 20)
        image.number(at + 4, "<I", crc32c(image.bytes[at : at + 65536]))
    metadata = 2 << 20
    image.put(metadata, "metadata").number(metadata + 10, "<H", 2)
    for at, item in enumerate(("caa16737-fa36-4d43-b3b6-33f0aa44e76b", "2fa54224-cd1b-4876-b211-5dbed83bf4b8")):
        entry = metadata + 32 + at * 32
        image.put(entry, guid(item)).number(entry + 16, "<I", 65536 + at * 8).number(entry + 20, "<I", 8)
    return image.number(metadata + 65536 + 4, "<I", 2 if parent else 0).number(metadata + 65536 + 8, "<Q", SIZE)


def guid(text):
    return uuid.UUID(text).bytes_le


def crc32c(part):
    crc = 0xFFFFFFFF
    for byte in part:
        crc = CRC32C[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def crc32c_of_byte(value):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


CRC32C = [crc32c_of_byte(value) for value in range(256)]


def vdi(kind=1):
    """Dynamic; of kind 4 it has a parent."""
    image = Sample(1024).put(0, "<<< QEMU VM Virtual Disk Image >>>\n").number(64, "<I", 0xBEDA107F).number(68, "<I", 0x00010001)
    for at, value in ((76, kind), (340, 512), (344, 1024), (360, 512), (376, 1 << 20), (384, SIZE >> 20)):
        image.number(at, "<I", value)
    return image.number(368, "<Q", SIZE).number(512, "<I", 0xFFFFFFFF)


def ploop():
    return Sample(4096).put(0, "WithouFreSpacExt").number(36, "<Q", SECTORS)


def two_formats():
    """An ISO to one reader, a qcow2 to another."""
    return iso().put(0, qcow2().bytes[:512])


# (name, what it is declared as, its bytes)
USABLE = [
    ("raw", "raw", raw), ("gpt", "raw", gpt), ("luks", "raw", luks), ("iso", "iso", iso), ("qcow2", "qcow2", qcow2),
    ("qcow2-v2", "qcow2", lambda: qcow2(2)), ("vmdk", "vmdk", vmdk), ("vmdk-stream-with-footer", "vmdk", vmdk_stream),
    ("vhd", "vhd", vhd), ("vhd-fixed", "vhd", vhd_fixed), ("vhdx", "vhdx", vhdx), ("vdi", "vdi", vdi), ("ploop", "ploop", ploop),
]
UNUSABLE = [
    ("qcow2-backing-file", "qcow2", qcow2_backing_file), ("qcow2-data-file", "qcow2", qcow2_data_file),
    ("qcow2-as-raw", "raw", qcow2), ("vmdk-flat", "vmdk", vmdk_flat),
    ("vmdk-extent", "vmdk", lambda: vmdk(extent=f'RW {SECTORS} SPARSE "/etc/passwd"')),
    ("vhd-parent", "vhd", lambda: vhd(4)), ("vhdx-parent", "vhdx", lambda: vhdx(parent=True)), ("vdi-parent", "vdi", lambda: vdi(4)),
    ("qed-as-raw", "raw", lambda: Sample(4096).put(0, "QED\0")), ("luks-2", "raw", lambda: luks(2)), ("two-formats", "iso", two_formats),
]


def write_manifest(folder, samples):
    """Writes the images, and for Tempest what they are. Their names begin with `usable` or `unusable`."""
    images = []
    for sample in samples:
        name, form, make = sample
        is_usable = sample in USABLE
        name = f"{'' if is_usable else 'un'}usable-{name}"
        (folder / name).write_bytes(make().bytes)
        images.append({"name": name, "format": form, "filename": name, "usable": is_usable})
    manifest = folder / "manifest.yaml"
    manifest.write_text(json.dumps({"images": images}, indent=1))
    return manifest
