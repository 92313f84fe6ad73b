/* https://protobuf.dev/programming-guides/encoding/ */
#include "speed.h"

#define LONGEST_VARINT 10

static size_t
varint(unsigned char *to, uint64_t number)
{
    size_t size = 0;
    while (number > 0x7f) {
        to[size++] = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    to[size++] = (unsigned char)number;
    return size;
}

int
put_varint(Buffer *buffer, uint64_t number)
{
    if (buffer_reserve(buffer, LONGEST_VARINT) < 0)
        return -1;
    buffer->size += varint(buffer->data + buffer->size, number);
    return 0;
}

int
put_fixed(Buffer *buffer, uint64_t number, int size)
{
    if (buffer_reserve(buffer, 8) < 0)
        return -1;
    /* All eight, whatever the size, which compilers know as one step. */
    unsigned char *to = buffer->data + buffer->size;
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(number >> (8 * i));
    buffer->size += (size_t)size;
    return 0;
}

int
open_field(Buffer *buffer, unsigned char tag, size_t *start)
{
    if (buffer_reserve(buffer, 2) < 0)
        return -1;
    buffer->data[buffer->size] = tag;
    /* Most lengths take one byte: the other ones make room for theirs at the end. */
    buffer->size += 2;
    *start = buffer->size;
    return 0;
}

int
close_field(Buffer *buffer, size_t start)
{
    size_t size = buffer->size - start;
    if (size < 0x80) {
        buffer->data[start - 1] = (unsigned char)size;
        return 0;
    }
    unsigned char length[LONGEST_VARINT];
    size_t more = varint(length, size) - 1;
    if (buffer_reserve(buffer, more) < 0)
        return -1;
    unsigned char *content = buffer->data + start;
    memmove(content + more, content, size);
    memcpy(content - 1, length, more + 1);
    buffer->size += more;
    return 0;
}

int
as_uint64(PyObject *number, uint64_t *result)
{
    if (!PyLong_CheckExact(number))
        return -1;
    *result = PyLong_AsUnsignedLongLong(number);
    return *result == (uint64_t)-1 && PyErr_Occurred() ? -1 : 0;
}

int
put_number(Buffer *buffer, unsigned char tag, PyObject *number)
{
    uint64_t value;
    if (as_uint64(number, &value) < 0 || put_byte(buffer, tag) < 0)
        return -1;
    return put_varint(buffer, value);
}

/* The highest byte first. */
int
as_bytes(PyObject *number, unsigned char *to, int size)
{
    if (!PyLong_CheckExact(number))
        return -1;
#if PY_VERSION_HEX >= 0x030d0000
    int flags = Py_ASNATIVEBYTES_BIG_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER |
                Py_ASNATIVEBYTES_REJECT_NEGATIVE;
    Py_ssize_t needed = PyLong_AsNativeBytes(number, to, size, flags);
    if (needed < 0 || needed > size)
        return -1;
#else
    if (_PyLong_AsByteArray((PyLongObject *)number, to, (size_t)size, 0, 0) < 0)
        return -1;
#endif
    return 0;
}

int
put_id(Buffer *buffer, PyObject *number, int size)
{
    uint64_t short_id;
    if (buffer_reserve(buffer, (size_t)size) < 0)
        return -1;
    unsigned char *to = buffer->data + buffer->size;
    if (size == 8) {
        if (as_uint64(number, &short_id) < 0)
            return -1;
        for (int i = 0; i < 8; i++)
            to[i] = (unsigned char)(short_id >> (56 - 8 * i));
    } else if (as_bytes(number, to, size) < 0) {
        return -1;
    }
    buffer->size += (size_t)size;
    return 0;
}

const char *
utf8_of(PyObject *text, Py_ssize_t *size)
{
    if (!PyUnicode_CheckExact(text))
        return NULL;
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        *size = PyUnicode_GET_LENGTH(text);
        return (const char *)PyUnicode_1BYTE_DATA(text);
    }
    return PyUnicode_AsUTF8AndSize(text, size);
}

int
put_text(Buffer *buffer, unsigned char tag, PyObject *text)
{
    Py_ssize_t size;
    const char *bytes = utf8_of(text, &size);
    if (bytes == NULL || buffer_reserve(buffer, 1 + LONGEST_VARINT + (size_t)size) < 0)
        return -1;
    buffer->data[buffer->size++] = tag;
    buffer->size += varint(buffer->data + buffer->size, (uint64_t)size);
    memcpy(buffer->data + buffer->size, bytes, (size_t)size);
    buffer->size += (size_t)size;
    return 0;
}
