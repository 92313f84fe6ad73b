/*
 * A JSON line. The twins are JSONFormatter._line() of output/json_lines.py and quoted() of
 * output/escape.py.
 */
#include "speed.h"

#define LONGEST_LOGGER 1024
#define LONGEST_LEVEL 128
#define DEEPEST 16

static int put_json(Buffer *line, PyObject *value, int depth);

static int
put_string(Buffer *line, const char *text)
{
    return put_bytes(line, text, strlen(text));
}

static int
put_escape(Buffer *line, unsigned int code)
{
    char escape[8];
    PyOS_snprintf(escape, sizeof escape, "\\u%04x", code);
    return put_bytes(line, escape, 6);
}

static int
put_control(Buffer *line, unsigned char byte)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (const char *each = shorts; *each; each += 2) {
        if ((unsigned char)each[0] == byte) {
            const char escape[] = {'\\', each[1]};
            return put_bytes(line, escape, 2);
        }
    }
    return put_escape(line, byte);
}

/*
 * The code point at *text* if it's one of those that are escaped, 0 if not: C1 controls, line
 * and paragraph separators, marks that change the direction. All of them begin with these.
 */
static unsigned int
odd_at(const unsigned char *text, size_t left)
{
    if (text[0] == 0xc2 && left >= 2 && text[1] < 0xa0)
        return text[1];
    if (text[0] != 0xe2 || left < 3)
        return 0;
    unsigned int code = 0x2000u | (unsigned int)(text[1] & 0x3f) << 6 | (text[2] & 0x3fu);
    int odd = (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return odd ? code : 0;
}

static inline int
stands_as_it_is(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f && byte != 0xc2 &&
           byte != 0xe2;
}

static int
put_escaped(Buffer *line, const unsigned char *text, size_t size)
{
    size_t from = 0;
    for (size_t i = 0; i < size; i++) {
        if (stands_as_it_is(text[i]))
            continue;
        int ascii = text[i] < 0x80;
        unsigned int code = ascii ? text[i] : odd_at(text + i, size - i);
        if (!ascii && code == 0)
            continue;
        if (put_bytes(line, text + from, i - from) < 0 ||
            (ascii ? put_control(line, text[i]) : put_escape(line, code)) < 0)
            return -1;
        i += ascii ? 0 : text[i] == 0xc2 ? 1 : 2;
        from = i + 1;
    }
    return put_bytes(line, text + from, size - from);
}

static int
put_quoted(Buffer *line, PyObject *text)
{
    Py_ssize_t size;
    const char *bytes = utf8_of(text, &size);
    if (bytes == NULL || put_byte(line, '"') < 0 ||
        put_escaped(line, (const unsigned char *)bytes, (size_t)size) < 0)
        return -1;
    return put_byte(line, '"');
}

static int
put_int(Buffer *line, PyObject *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    char digits[24];
    if (overflow)
        return -1;
    PyOS_snprintf(digits, sizeof digits, "%lld", number);
    return put_string(line, digits);
}

static int
put_float(Buffer *line, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);
    char *digits = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (digits == NULL)
        return -1;
    /* JSON has no NaN and no Infinity: they are texts. */
    const char *quote = Py_IS_FINITE(number) ? "" : "\"";
    int failed = put_string(line, quote) < 0 || put_string(line, digits) < 0 ||
                 put_string(line, quote) < 0;
    PyMem_Free(digits);
    return failed ? -1 : 0;
}

static int
put_blob(Buffer *line, PyObject *value)
{
    PyObject *text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value),
                                          "backslashreplace");
    int failed = text == NULL || put_quoted(line, text) < 0;
    Py_XDECREF(text);
    return failed ? -1 : 0;
}

static int
put_list(Buffer *line, PyObject *values, int depth)
{
    if (put_byte(line, '[') < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(values); i++) {
        if ((i > 0 && put_byte(line, ',') < 0) ||
            put_json(line, PySequence_Fast_GET_ITEM(values, i), depth) < 0)
            return -1;
    }
    return put_byte(line, ']');
}

static int
put_object(Buffer *line, PyObject *values, int depth)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    unsigned char before = '{';
    if (PyDict_GET_SIZE(values) == 0)
        return put_string(line, "{}");
    while (PyDict_Next(values, &at, &key, &value)) {
        if (put_byte(line, before) < 0 || put_quoted(line, key) < 0 ||
            put_byte(line, ':') < 0 || put_json(line, value, depth) < 0)
            return -1;
        before = ',';
    }
    return put_byte(line, '}');
}

static int
put_json(Buffer *line, PyObject *value, int depth)
{
    PyTypeObject *kind = Py_TYPE(value);
    if (kind == &PyUnicode_Type)
        return put_quoted(line, value);
    if (kind == &PyLong_Type)
        return put_int(line, value);
    if (value == Py_None)
        return put_string(line, "null");
    if (kind == &PyBool_Type)
        return put_string(line, value == Py_True ? "true" : "false");
    if (kind == &PyFloat_Type)
        return put_float(line, value);
    if (kind == &PyBytes_Type)
        return put_blob(line, value);
    if (depth >= DEEPEST)
        return -1;
    if (kind == &PyList_Type)
        return put_list(line, value, depth + 1);
    return kind == &PyDict_Type ? put_object(line, value, depth + 1) : -1;
}

static int
put_member(Buffer *line, const char *before, PyObject *text, Py_ssize_t longest)
{
    if (text == NULL || !PyUnicode_CheckExact(text) || !PyUnicode_IS_ASCII(text) ||
        PyUnicode_GET_LENGTH(text) > longest)
        return -1;
    return put_string(line, before) < 0 ? -1 : put_quoted(line, text);
}

/* *ids* are in the order of Ids, and the line has the request's first. */
static int
put_ids(Buffer *line, PyObject *ids)
{
    static const char *const before[] = {",\"trace_id\":", ",\"span_id\":",
                                         ",\"trace_flags\":", ",\"request_id\":"};
    static const int order[] = {3, 0, 1, 2};
    if (!PyTuple_Check(ids) || PyTuple_GET_SIZE(ids) != 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        PyObject *id = PyTuple_GET_ITEM(ids, order[i]);
        if (id == Py_None)
            continue;
        if (put_member(line, before[order[i]], id, 128) < 0 ||
            PyUnicode_GET_LENGTH(id) == 0)
            return -1;
    }
    return 0;
}

static int
put_fields(Buffer *line, PyObject *fields)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (!PyDict_CheckExact(fields))
        return -1;
    while (PyDict_Next(fields, &at, &key, &value)) {
        if (put_byte(line, ',') < 0 || put_quoted(line, key) < 0 ||
            put_byte(line, ':') < 0 || put_json(line, value, 0) < 0)
            return -1;
    }
    return 0;
}

static int
has_exception(State *state, PyObject *values)
{
    PyObject *info = PyDict_GetItemWithError(values, NAME(state, exc_info));
    PyObject *text = PyDict_GetItemWithError(values, NAME(state, exc_text));
    return info != Py_None || text != Py_None;
}

static int
put_head(State *state, Buffer *line, const Line *of)
{
    if (put_moment(line, of->created) < 0 ||
        put_member(line, ",\"level\":", of->level, LONGEST_LEVEL) < 0 ||
        put_member(line, ",\"logger\":", of->logger, LONGEST_LOGGER) < 0 ||
        put_string(line, ",\"message\":") < 0 || put_quoted(line, of->message) < 0 ||
        put_ids(line, of->ids) < 0)
        return -1;
    if (!of->is_event)
        return 0;
    return put_member(line, ",\"event_name\":", THING(state, EVENT_NAME), 128);
}

/* Writes a line, without its end. */
int
put_parts_of_line(State *state, Buffer *line, const Line *of)
{
    if (put_head(state, line, of) < 0 || put_fields(line, of->fields) < 0)
        return -1;
    return put_byte(line, '}');
}

/* Writes the line of a record that says *words*. */
int
put_line(State *state, Buffer *line, PyObject *record, PyObject *words, PyObject *ids)
{
    if (!Py_IS_TYPE(words, (PyTypeObject *)THING(state, SAID)))
        return -1;
    PyObject *values = PyObject_GenericGetDict(record, NULL);
    if (values == NULL)
        return -1;
    PyObject *created = PyDict_GetItemWithError(values, NAME(state, created));
    int failed = -1;
    if (created != NULL && PyFloat_CheckExact(created) && !has_exception(state, values)) {
        Line of = {
            .created = PyFloat_AS_DOUBLE(created),
            .level = PyDict_GetItemWithError(values, NAME(state, levelname)),
            .logger = PyDict_GetItemWithError(values, NAME(state, name)),
            .message = PyTuple_GET_ITEM(words, 0),
            .fields = PyTuple_GET_ITEM(words, 1),
            .ids = ids,
            .is_event = Py_IS_TYPE(record, (PyTypeObject *)THING(state, EVENT)),
        };
        failed = put_parts_of_line(state, line, &of);
    }
    Py_DECREF(values);
    return failed;
}
