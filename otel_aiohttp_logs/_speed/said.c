/*
 * What a record says, in a safe form. The twin is said() of record/said.py, with what it calls
 * of record/fields.py; its limits stand here again.
 *
 * NULL, with or without an exception, is what leaves the record to the twin.
 */
#include "speed.h"

#define LONGEST_NAME 128
#define MOST_FIELDS 500
#define MOST_NAMES 1024

/* Returns a borrowed reference, NULL without an exception for a name that is unusual. */
static PyObject *
name_of(State *state, PyObject *key)
{
    PyObject *names = THING(state, KNOWN_NAMES);
    PyObject *name = PyDict_GetItemWithError(names, key);
    if (name != NULL || PyErr_Occurred() || PyUnicode_GET_LENGTH(key) > LONGEST_NAME ||
        PyDict_GET_SIZE(names) >= MOST_NAMES)
        return name;
    name = PyObject_CallOneArg(THING(state, NAME_OF), key);
    if (name == NULL)
        return NULL;
    int usable = PyUnicode_CheckExact(name) && PyDict_SetItem(names, key, name) == 0;
    Py_DECREF(name); /* the dict has one */
    return usable ? name : NULL;
}

/* Whether *key* is the name of one of our ids; those that settle() put there are no extra. */
static int
is_id(State *state, const Where *where, PyObject *key, PyObject *value, int *ours)
{
    PyObject *names = THING(state, ID_NAMES);
    for (Py_ssize_t i = 0; i < 4; i++) {
        if (PyTuple_GET_ITEM(names, i) == key) {
            *ours = PyTuple_GET_ITEM(where->ids, i) == value;
            return 1;
        }
    }
    return 0;
}

/* Puts a copy of what isn't plain: the application's code may run in here. */
static int
put_copy(State *state, PyObject *fields, PyObject *key, PyObject *name, PyObject *value,
         Room *room)
{
    Py_ssize_t size;
    /* The name of these depends on the value. */
    if (PySet_Contains(THING(state, OWN_ROOTS), key) || utf8_of(name, &size) == NULL)
        return -1;
    Py_INCREF(name);
    Py_INCREF(value);
    PyObject *copy = plain_copy(state, value, room, LONGEST_NAME - size - 1);
    int failed = copy == NULL || PyDict_SetItem(fields, name, copy) < 0;
    Py_XDECREF(copy);
    Py_DECREF(name);
    Py_DECREF(value);
    return failed ? -1 : 0;
}

/* What is put, and beside what; the room is what is left for values. */
typedef struct {
    PyObject *fields, *bound;
    Room room;
} Extra;

/*
 * A field's new name may be that of one that was bound: there are two of it then. And a name
 * that is equal to one of the ids', but not the same object, was overlooked by is_id().
 */
static int
is_odd_name(State *state, const Extra *extra, PyObject *key, PyObject *name)
{
    if (PyDict_Contains(extra->fields, name))
        return 1;
    if (name == key)
        return 0;
    return (PyDict_Contains(extra->bound, name) && !PyDict_Contains(extra->bound, key)) ||
           PySequence_Contains(THING(state, ID_NAMES), key);
}

static int
put_field(State *state, Extra *extra, PyObject *key, PyObject *value)
{
    PyObject *name = name_of(state, key);
    if (name == NULL || is_odd_name(state, extra, key, name) || extra->room.fields-- <= 0)
        return -1;
    if (!is_plain_value(value))
        return put_copy(state, extra->fields, key, name, value, &extra->room);
    return PyDict_SetItem(extra->fields, name, value);
}

/* Puts what is in ``extra``: it stands behind what LogRecord.__init__ has put there. */
static int
put_extra(State *state, const Where *where, PyObject *values, Extra *extra)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, number = 0, blank = PyDict_GET_SIZE(THING(state, TEMPLATE));
    room_init(&extra->room);
    while (PyDict_Next(values, &at, &key, &value)) {
        if (number++ < blank)
            continue;
        if (number > MOST_FIELDS || !PyUnicode_CheckExact(key))
            return -1;
        int ours = 1, skipped = PySet_Contains(THING(state, NOT_EXTRA), key);
        if (skipped < 0)
            return -1;
        if (skipped || is_id(state, where, key, value, &ours)) {
            if (ours)
                continue;
            return -1;
        }
        if (put_field(state, extra, key, value) < 0)
            return -1;
    }
    return number < blank ? -1 : 0;
}

/* The stack that was asked for by ``stack_info``. */
static int
put_stack(State *state, PyObject *values, PyObject *fields)
{
    PyObject *stack = PyDict_GetItemWithError(values, NAME(state, stack_info));
    if (stack == Py_None)
        return 0;
    if (stack == NULL || !PyUnicode_CheckExact(stack) || !is_tidy(stack, LONGEST_MESSAGE))
        return -1;
    if (PyUnicode_GET_LENGTH(stack) == 0)
        return 0;
    return PyDict_SetItem(fields, NAME(state, stack_info), stack);
}

/* Returns the fields bound where the record was created, NULL where that is unusual. */
static PyObject *
bound_fields(State *state, const Where *where, PyObject *bound)
{
    if (bound == Py_None)
        return PyDict_New();
    if (!Py_IS_TYPE(bound, (PyTypeObject *)THING(state, BOUND)) ||
        PyTuple_GET_SIZE(bound) != 4)
        return NULL;
    PyObject *request = where->scope ? where->scope : Py_None;
    if (PyTuple_GET_ITEM(bound, 0) != request)
        return PyDict_New();
    PyObject *fields = PyTuple_GET_ITEM(bound, 3);
    return PyDict_CheckExact(fields) ? PyDict_Copy(fields) : NULL;
}

static PyObject *
fields_of(State *state, const Where *where, PyObject *record, PyObject *values)
{
    PyObject *stamp = *slot(record, state->bound_at), *fields = NULL;
    PyObject *all = stamp == NULL ? NULL : bound_fields(state, where, stamp);
    if (all != NULL)
        fields = PyDict_GET_SIZE(all) ? PyDict_New() : Py_NewRef(all);
    Extra extra = {.fields = fields, .bound = all};
    if (fields == NULL || put_extra(state, where, values, &extra) < 0 ||
        put_stack(state, values, fields) < 0 || (fields != all && PyDict_Update(all, fields) < 0))
        Py_CLEAR(all);
    Py_XDECREF(fields);
    return all;
}

PyObject *
tuple_of(PyObject *kind, Py_ssize_t size)
{
    return ((PyTypeObject *)kind)->tp_alloc((PyTypeObject *)kind, size);
}

/* Takes over the references to the two. */
static PyObject *
said_of(State *state, PyObject *text, PyObject *fields)
{
    PyObject *said = NULL;
    if (text != NULL && fields != NULL)
        said = tuple_of(THING(state, SAID), 2);
    if (said == NULL) {
        Py_XDECREF(text);
        Py_XDECREF(fields);
        return NULL;
    }
    PyTuple_SET_ITEM(said, 0, text);
    PyTuple_SET_ITEM(said, 1, fields);
    return said;
}

PyObject *
say(State *state, const Where *where, PyObject *record, PyObject *values)
{
    /* Fields first: code of the application's runs for few of them only. */
    PyObject *fields = fields_of(state, where, record, values);
    if (fields == NULL)
        return NULL;
    return said_of(state, message_of(state, values), fields);
}

/* said(record): None where it's for the twin. */
PyObject *
said(PyObject *module, PyObject *record)
{
    State *state = state_of(module);
    Where where = {0};
    PyObject *words = NULL;
    int left = is_record(state, record) ? find_out_where(state, record, &where) : UNUSUAL;
    if (left == 0) {
        PyObject *values = PyObject_GenericGetDict(record, NULL);
        words = values == NULL ? NULL : say(state, &where, record, values);
        Py_XDECREF(values);
        left = words == NULL ? unless_fatal() : 0;
    }
    where_free(&where);
    if (left < 0)
        return NULL;
    return words == NULL ? Py_NewRef(Py_None) : words;
}
