/*
 * What the parts of the extension share.
 *
 * Each function here has a twin in Python that says what is right. C does the ordinary: exact
 * built-in types in their common shape. Whatever is unusual is left to the twin, so a
 * function that is asked to write something answers -1 as soon as it meets the like, with
 * or without an exception set, and writes nothing that counts.
 */
#ifndef OTEL_AIOHTTP_LOGS_SPEED_H
#define OTEL_AIOHTTP_LOGS_SPEED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* --- buffer.c: bytes that grow at their end --- */

typedef struct {
    unsigned char *data;
    size_t size;
    size_t room;
} Buffer;

int buffer_grow(Buffer *buffer, size_t more);
void buffer_free(Buffer *buffer);

static inline int
buffer_reserve(Buffer *buffer, size_t more)
{
    return buffer->room - buffer->size >= more ? 0 : buffer_grow(buffer, more);
}

static inline int
put_byte(Buffer *buffer, unsigned char byte)
{
    if (buffer_reserve(buffer, 1) < 0)
        return -1;
    buffer->data[buffer->size++] = byte;
    return 0;
}

static inline int
put_bytes(Buffer *buffer, const void *bytes, size_t size)
{
    if (buffer_reserve(buffer, size) < 0)
        return -1;
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    return 0;
}

/* --- wire.c: protocol buffers' wire format --- */

int put_varint(Buffer *buffer, uint64_t number);
/* A number in *size* bytes, the lowest first. */
int put_fixed(Buffer *buffer, uint64_t number, int size);
/* Between the two stands the content of a field whose length isn't known yet. */
int open_field(Buffer *buffer, unsigned char tag, size_t *start);
int close_field(Buffer *buffer, size_t start);

/* The following refuse an object that is not exactly an int or a str. */
int as_uint64(PyObject *number, uint64_t *result);
int put_id(Buffer *buffer, PyObject *number, int size);
int put_number(Buffer *buffer, unsigned char tag, PyObject *number);
int put_text(Buffer *buffer, unsigned char tag, PyObject *text);
/* Returns NULL for what isn't exactly a str, or has no form in UTF-8. */
const char *utf8_of(PyObject *text, Py_ssize_t *size);

/* --- values.c: attributes --- */

int put_attributes(Buffer *buffer, unsigned char tag, PyObject *attributes);

/* --- groups.c: records by logger or scope --- */

/* What is known of the records of one kind, and the buffer of the group being written. */
typedef struct {
    PyObject *new_group;
    PyObject *groups;
    PyObject *key;
    PyObject *group;
    Buffer buffer;
} Run;

typedef int (*PutRecord)(Buffer *buffer, PyObject *record, void *kinds);

typedef struct {
    PutRecord put;
    PyTypeObject *kind;
    Py_ssize_t key_at;
    void *kinds;
} RecordKind;

PyObject *group_records(const RecordKind *kind, PyObject *const *args);

/* --- the functions of the module --- */

PyObject *group_logs(PyObject *module, PyObject *const *args, Py_ssize_t number);
PyObject *group_spans(PyObject *module, PyObject *const *args, Py_ssize_t number);

#endif
