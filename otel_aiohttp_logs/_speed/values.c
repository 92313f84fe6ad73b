/* The twin is export/values.py; its limits stand here again. */
#include "speed.h"

#define MAX_DEPTH 16
#define MAX_ITEMS 10000

static int put_pairs(Buffer *, unsigned char, PyObject *, int, int *);
static int put_value(Buffer *, PyObject *, int, int *);

static int
put_integer(Buffer *buffer, PyObject *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow || put_byte(buffer, 0x18) < 0)
        return -1;
    return put_varint(buffer, (uint64_t)number);
}

static int
put_double(Buffer *buffer, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return put_byte(buffer, 0x21) < 0 ? -1 : put_fixed(buffer, bits, 8);
}

static int
put_blob(Buffer *buffer, PyObject *value)
{
    size_t size = (size_t)PyBytes_GET_SIZE(value);
    if (put_byte(buffer, 0x3a) < 0 || put_varint(buffer, size) < 0)
        return -1;
    return put_bytes(buffer, PyBytes_AS_STRING(value), size);
}

static int
put_items(Buffer *buffer, PyObject *values, int depth, int *items)
{
    size_t array, item;
    if (open_field(buffer, 0x2a, &array) < 0)
        return -1;
    /* No code but ours runs meanwhile, so the list stays as it is. */
    PyObject **each = PySequence_Fast_ITEMS(values);
    Py_ssize_t number = PySequence_Fast_GET_SIZE(values);
    for (Py_ssize_t i = 0; i < number; i++) {
        if (--*items < 0 || open_field(buffer, 0x0a, &item) < 0 ||
            put_value(buffer, each[i], depth, items) < 0 ||
            close_field(buffer, item) < 0)
            return -1;
    }
    return close_field(buffer, array);
}

static int
put_mapping(Buffer *buffer, PyObject *values, int depth, int *items)
{
    size_t mapping;
    if (open_field(buffer, 0x32, &mapping) < 0 ||
        put_pairs(buffer, 0x0a, values, depth, items) < 0)
        return -1;
    return close_field(buffer, mapping);
}

/* Writes an AnyValue; *items* is how many may still follow inside of it. */
static int
put_value(Buffer *buffer, PyObject *value, int depth, int *items)
{
    PyTypeObject *kind = Py_TYPE(value);
    if (kind == &PyUnicode_Type)
        return put_text(buffer, 0x0a, value);
    if (kind == &PyLong_Type)
        return put_integer(buffer, value);
    if (kind == &PyBool_Type)
        return put_bytes(buffer, value == Py_True ? "\x10\x01" : "\x10\x00", 2);
    if (kind == &PyFloat_Type)
        return put_double(buffer, value);
    if (value == Py_None)
        return 0;
    if (kind == &PyBytes_Type)
        return put_blob(buffer, value);
    if (depth >= MAX_DEPTH)
        return -1;
    if (kind == &PyList_Type || kind == &PyTuple_Type)
        return put_items(buffer, value, depth + 1, items);
    return kind == &PyDict_Type ? put_mapping(buffer, value, depth + 1, items) : -1;
}

/* Most are like that: an ASCII name and text, and each length in one byte. 0 for others. */
static int
put_short_texts(Buffer *buffer, unsigned char tag, PyObject *key, PyObject *value)
{
    if (!PyUnicode_CheckExact(key) || !PyUnicode_IS_COMPACT_ASCII(key) ||
        !PyUnicode_CheckExact(value) || !PyUnicode_IS_COMPACT_ASCII(value))
        return 0;
    size_t name = (size_t)PyUnicode_GET_LENGTH(key);
    size_t text = (size_t)PyUnicode_GET_LENGTH(value);
    if (name > 100 || name + text > 120 || buffer_reserve(buffer, 128) < 0)
        return 0;
    unsigned char *to = buffer->data + buffer->size;
    *to++ = tag;
    *to++ = (unsigned char)(name + text + 6);
    *to++ = 0x0a;
    *to++ = (unsigned char)name;
    memcpy(to, PyUnicode_1BYTE_DATA(key), name);
    to += name;
    *to++ = 0x12;
    *to++ = (unsigned char)(text + 2);
    *to++ = 0x0a;
    *to++ = (unsigned char)text;
    memcpy(to, PyUnicode_1BYTE_DATA(value), text);
    buffer->size += name + text + 8;
    return 1;
}

static int
put_pair(Buffer *buffer, unsigned char tag, PyObject *key, PyObject *value, int depth,
         int *items)
{
    size_t pair, content;
    if (*items > 0 && put_short_texts(buffer, tag, key, value)) {
        --*items;
        return 0;
    }
    if (--*items < 0 || open_field(buffer, tag, &pair) < 0 ||
        put_text(buffer, 0x0a, key) < 0 || open_field(buffer, 0x12, &content) < 0 ||
        put_value(buffer, value, depth, items) < 0 || close_field(buffer, content) < 0)
        return -1;
    return close_field(buffer, pair);
}

static int
put_pairs(Buffer *buffer, unsigned char tag, PyObject *pairs, int depth, int *items)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(pairs, &at, &key, &value)) {
        if (put_pair(buffer, tag, key, value, depth, items) < 0)
            return -1;
    }
    return 0;
}

int
put_attribute(Buffer *buffer, unsigned char tag, PyObject *key, PyObject *value)
{
    int items = MAX_ITEMS;
    return put_pair(buffer, tag, key, value, 0, &items);
}

int
put_attributes(Buffer *buffer, unsigned char tag, PyObject *attributes)
{
    /* All attributes together have fewer than one of them may have in Python. */
    int items = MAX_ITEMS;
    if (!PyDict_CheckExact(attributes))
        return -1;
    return put_pairs(buffer, tag, attributes, 0, &items);
}
