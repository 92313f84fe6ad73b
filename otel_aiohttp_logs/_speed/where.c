/* Which request a record belongs to, and its ids: ids_of() of record/stamp.py is the twin. */
#include "speed.h"

void
where_free(Where *where)
{
    Py_CLEAR(where->context);
    Py_CLEAR(where->ids);
    Py_CLEAR(where->numbers);
}

int
is_record(State *state, PyObject *record)
{
    return Py_IS_TYPE(record, (PyTypeObject *)THING(state, RECORD)) ||
           Py_IS_TYPE(record, (PyTypeObject *)THING(state, EVENT));
}

/* An exception of the application's code: the twin meets it again, and says it. */
int
unless_fatal(void)
{
    if (!PyErr_Occurred())
        return UNUSUAL;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyErr_Clear();
    return UNUSUAL;
}

static int
keep_known(State *state, PyObject *scope, const Where *where)
{
    PyObject *pair = PyTuple_Pack(2, where->ids, where->numbers);
    if (pair == NULL)
        return -1;
    Py_XSETREF(*slot(scope, state->known_at), pair);
    return 0;
}

static int
is_tuple_of(PyObject *items, Py_ssize_t size)
{
    return PyTuple_Check(items) && PyTuple_GET_SIZE(items) == size;
}

/* A request's own lines have the same ids: they are worked out for the first of them. */
static int
known_ids(State *state, Where *where, PyObject **ids)
{
    PyObject *span = PyDict_GetItemWithError(where->context, THING(state, SPAN));
    PyObject *scope = where->scope;
    int own = scope != NULL && span == *slot(scope, state->span_at);
    PyObject *known = own ? *slot(scope, state->known_at) : NULL;
    if (known != NULL && PyTuple_CheckExact(known) &&
        (*ids == Py_None || *ids == PyTuple_GET_ITEM(known, 0))) {
        where->ids = Py_NewRef(PyTuple_GET_ITEM(known, 0));
        where->numbers = Py_NewRef(PyTuple_GET_ITEM(known, 1));
        Py_SETREF(*ids, Py_NewRef(where->ids));
        return 0;
    }
    if (*ids == Py_None && span != NULL && ids_of_span(state, span, scope, where) == 0) {
        Py_SETREF(*ids, Py_NewRef(where->ids));
        return own ? keep_known(state, scope, where) : 0;
    }
    if (PyErr_Occurred())
        return -1;
    if (*ids == Py_None) {
        PyObject *worked_out =
            span == NULL && scope == NULL
                ? Py_NewRef(THING(state, NO_IDS))
                : PyObject_CallOneArg(THING(state, IDS_IN), where->context);
        if (worked_out == NULL)
            return -1;
        Py_SETREF(*ids, worked_out);
    }
    where->ids = Py_NewRef(*ids);
    if (where->ids_only && !own)
        return is_tuple_of(*ids, 4) ? 0 : -1;
    if (*ids == THING(state, NO_IDS)) {
        where->numbers = Py_NewRef(THING(state, NO_NUMBERS));
        return 0;
    }
    where->numbers = PyObject_CallOneArg(THING(state, NUMBERS_OF), where->ids);
    if (where->numbers == NULL)
        return -1;
    if (!is_tuple_of(where->numbers, 3) || !is_tuple_of(where->ids, 4))
        return -1;
    return own ? keep_known(state, scope, where) : 0;
}

/*
 * Finds out what *where* says of a context; *ids* are those known already, or None, and are
 * kept there. UNUSUAL leaves it to the twin, -1 is an exception.
 */
int
look_around(State *state, PyObject *context, PyObject **ids, Where *where)
{
    where->context = Py_XNewRef(context);
    if (context == NULL || !PyDict_Check(context) || *ids == NULL)
        return UNUSUAL;
    where->scope = PyDict_GetItemWithError(context, THING(state, REQUEST));
    if (where->scope != NULL) {
        if (!Py_IS_TYPE(where->scope, (PyTypeObject *)THING(state, SCOPE)))
            return UNUSUAL;
        /* After its end the line gets a mark, or belongs to nobody. */
        if (*slot(where->scope, state->ended_at) != Py_None)
            return UNUSUAL;
    }
    return known_ids(state, where, ids) < 0 ? unless_fatal() : 0;
}

int
find_out_where(State *state, PyObject *record, Where *where)
{
    return look_around(state, *slot(record, state->context_at),
                       slot(record, state->ids_at), where);
}
