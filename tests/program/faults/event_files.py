"""Reads TensorBoard's event files: TFRecords of tensorflow.Event messages, by Python's own means."""
import pathlib
import struct


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = crc32c_table()


def masked_crc32c(data):
    total = 0xFFFFFFFF
    for byte in data:
        total = total >> 8 ^ TABLE[(total ^ byte) & 0xFF]
    total ^= 0xFFFFFFFF
    return ((total >> 15 | total << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """The payloads of a whole TFRecord file."""
    at = 0
    while at < len(data):
        length, length_sum = struct.unpack_from("<QI", data, at)
        payload = data[at + 12:at + 12 + length]
        (payload_sum,) = struct.unpack_from("<I", data, at + 12 + length)
        if masked_crc32c(data[at:at + 8]) != length_sum or masked_crc32c(payload) != payload_sum:
            raise AssertionError(f"the record at {at} has a wrong checksum")
        yield payload
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(message):
    """(number, value) of every field; bytes for text and messages."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
        elif key & 7 == 2:
            length, at = varint(message, at)
            value, at = message[at:at + length], at + length
        else:
            kind = {1: "<d", 5: "<f"}[key & 7]
            (value,) = struct.unpack_from(kind, message, at)
            at += struct.calcsize(kind)
        yield key >> 3, value


def events(run):
    """(step, {tag: number or PNG file}) of every summary in a folder's event files, in the order of their names."""
    for file in sorted(pathlib.Path(run).glob("events.out.tfevents.*")):
        payloads = list(records(file.read_bytes()))
        if dict(fields(payloads[0])).get(3) != b"brain.Event:2":
            raise AssertionError(f"{file} does not begin with its version")
        for payload in payloads[1:]:
            event = dict(fields(payload))
            if 5 not in event:
                continue  # the start of a session
            shown = {}
            for _, value in fields(event[5]):
                parts = dict(fields(value))
                shown[parts[1].decode()] = parts[2] if 2 in parts else dict(fields(parts[4]))[4]
            yield event.get(2, 0), shown
