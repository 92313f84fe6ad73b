/*
 * Plain copies of values. The twin is plain() of record/safe.py; its limits stand here again.
 *
 * Each value that is unusual is given to the twin, together with the room that is left, and
 * what it answers goes into the copy: one odd value costs itself only. Code of the
 * application's may run in there, so only copies are walked through, which nobody else has.
 */
#include "speed.h"

#define LONGEST_SHORT 1024
#define LONGEST_TEXT (64 * 1024)
#define LONGEST_NAME 128
#define LEAST_NAME 16
#define MOST_FIELDS 500
#define MOST_ITEMS 1000
#define MOST_TOTAL (512 * 1024)

void
room_init(Room *room)
{
    room->fields = MOST_FIELDS;
    room->items = MOST_ITEMS;
    room->size = MOST_TOTAL;
    room->depth = 0;
}

static int
is_number(PyObject *value)
{
    PyTypeObject *kind = Py_TYPE(value);
    if (kind == &PyLong_Type) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        return !overflow && number != LLONG_MIN;
    }
    return kind == &PyBool_Type || kind == &PyFloat_Type || value == Py_None;
}

/* 1 for what stands in a record as it is, and takes none of its room. */
int
is_plain_value(PyObject *value)
{
    if (Py_IS_TYPE(value, &PyUnicode_Type))
        return PyUnicode_GET_LENGTH(value) <= LONGEST_SHORT &&
               is_tidy(value, 4 * LONGEST_SHORT);
    return is_number(value);
}

/* Returns NULL, as the following do, with or without an exception, for what is unusual. */
static PyObject *
text_in(PyObject *text, Room *room)
{
    if (!is_tidy(text, Py_MIN(LONGEST_TEXT, room->size)))
        return NULL;
    room->size -= PyUnicode_GET_LENGTH(text);
    return Py_NewRef(text);
}

static PyObject *
bytes_in(PyObject *value, Room *room)
{
    if (PyBytes_GET_SIZE(value) > Py_MIN(LONGEST_TEXT, room->size))
        return NULL;
    room->size -= PyBytes_GET_SIZE(value);
    return Py_NewRef(value);
}

static int
enter(Room *room, PyObject *values)
{
    if (room->depth >= MOST_DEPTH)
        return -1;
    for (int i = 0; i < room->depth; i++) {
        if (room->parents[i] == values)
            return -1;
    }
    room->parents[room->depth++] = values;
    return 0;
}

static int
fill_list(State *state, PyObject *result, Room *room)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(result); i++) {
        if (room->items-- <= 0)
            return -1;
        PyObject *item = PyList_GET_ITEM(result, i);
        if (is_number(item))
            continue;
        PyObject *copy = plain_copy(state, item, room, LONGEST_NAME);
        if (copy == NULL || PyList_SetItem(result, i, copy) < 0)
            return -1;
    }
    return 0;
}

static PyObject *
list_of(State *state, PyObject *values, Py_ssize_t size, Room *room)
{
    if (size > room->items || enter(room, values) < 0)
        return NULL;
    PyObject *result = PySequence_List(values);
    if (result != NULL && fill_list(state, result, room) < 0)
        Py_CLEAR(result);
    room->depth--;
    return result;
}

static int
fill_dict(State *state, PyObject *result, Room *room, Py_ssize_t name_room)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, size;
    while (PyDict_Next(result, &at, &key, &value)) {
        if (room->fields-- <= 0 || utf8_of(key, &size) == NULL || size > name_room)
            return -1;
        if (is_number(value))
            continue;
        PyObject *copy = plain_copy(state, value, room, name_room - size - 1);
        /* The keys stay, and so may values be changed in between. */
        int failed = copy == NULL ||
                     (copy != value && PyDict_SetItem(result, key, copy) < 0);
        Py_XDECREF(copy);
        if (failed)
            return -1;
    }
    return 0;
}

static PyObject *
dict_of(State *state, PyObject *values, Room *room, Py_ssize_t name_room)
{
    if (PyDict_GET_SIZE(values) > room->fields || name_room < LEAST_NAME ||
        enter(room, values) < 0)
        return NULL;
    PyObject *result = PyDict_Copy(values);
    if (result != NULL && fill_dict(state, result, room, name_room) < 0)
        Py_CLEAR(result);
    room->depth--;
    return result;
}

static PyObject *
ordinary(State *state, PyObject *value, Room *room, Py_ssize_t name_room)
{
    PyTypeObject *kind = Py_TYPE(value);
    if (kind == &PyUnicode_Type)
        return text_in(value, room);
    if (is_number(value))
        return Py_NewRef(value);
    if (kind == &PyDict_Type)
        return dict_of(state, value, room, name_room);
    if (kind == &PyList_Type || kind == &PyTuple_Type)
        return list_of(state, value, Py_SIZE(value), room);
    if (kind == &PyBytes_Type)
        return bytes_in(value, room);
    if (kind == &PySet_Type || kind == &PyFrozenSet_Type)
        return list_of(state, value, PySet_GET_SIZE(value), room);
    PyObject *form = form_of(state, value), *copy = NULL;
    if (form != NULL && PyUnicode_CheckExact(form))
        copy = text_in(form, room);
    else if (form != NULL && is_number(form))
        copy = Py_NewRef(form);
    Py_XDECREF(form);
    return copy;
}

static PyObject *
parents_of(const Room *room)
{
    PyObject *parents = PyTuple_New(room->depth);
    for (int i = 0; parents != NULL && i < room->depth; i++) {
        PyObject *id = PyLong_FromVoidPtr(room->parents[i]);
        if (id == NULL)
            Py_CLEAR(parents);
        else
            PyTuple_SET_ITEM(parents, i, id);
    }
    return parents;
}

/* Asks the twin, which raises no Exception. */
static PyObject *
twins_copy(State *state, PyObject *value, Room *room, Py_ssize_t name_room)
{
    PyObject *parents = parents_of(room), *copy = NULL;
    if (parents == NULL)
        return NULL;
    PyObject *answer =
        PyObject_CallFunction(THING(state, PLAIN_IN), "OnnnnN", value, name_room,
                              room->fields, room->items, room->size, parents);
    if (answer != NULL && PyArg_ParseTuple(answer, "Onnn", &copy, &room->fields,
                                           &room->items, &room->size))
        Py_INCREF(copy);
    else
        copy = NULL;
    Py_XDECREF(answer);
    return copy;
}

PyObject *
plain_copy(State *state, PyObject *value, Room *room, Py_ssize_t name_room)
{
    Room before = *room;
    PyObject *copy = ordinary(state, value, room, name_room);
    if (copy != NULL)
        return copy;
    if (unless_fatal() < 0)
        return NULL;
    *room = before;
    return twins_copy(state, value, room, name_room);
}

/* plain(value, size=..., items=..., fields=...): the three are what it may take of each. */
PyObject *
plain(PyObject *module, PyObject *const *args, Py_ssize_t number)
{
    State *state = state_of(module);
    Room room;
    if ((number != 1 && number != 4) || THING(state, PLAIN_IN) == NULL) {
        PyErr_SetString(PyExc_TypeError, "plain takes 1 or 4 arguments, after configure()");
        return NULL;
    }
    if (is_plain_value(args[0]))
        return Py_NewRef(args[0]);
    room_init(&room);
    if (number == 4) {
        room.size = PyLong_AsSsize_t(args[1]);
        room.items = PyLong_AsSsize_t(args[2]);
        room.fields = PyLong_AsSsize_t(args[3]);
        if (PyErr_Occurred())
            return NULL;
    }
    return plain_copy(state, args[0], &room, LONGEST_NAME);
}
