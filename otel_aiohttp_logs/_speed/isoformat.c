/* A datetime as datetime.isoformat() writes it, without a timezone or with UTC. */
#include "speed.h"
#include <datetime.h>

/* 1 for the class of Python itself; not for another of the name, or a subclass. */
int
is_datetime(PyObject *value)
{
    (void)PyDateTimeAPI; /* what is used here are macros that need none */
    PyTypeObject *kind = Py_TYPE(value);
    return !PyType_HasFeature(kind, Py_TPFLAGS_HEAPTYPE) &&
           strcmp(kind->tp_name, "datetime.datetime") == 0;
}

static Py_UCS1 *
put_digits(Py_UCS1 *to, int number, int digits, char behind)
{
    for (int i = digits; i-- > 0; number /= 10)
        to[i] = (Py_UCS1)('0' + number % 10);
    to[digits] = (Py_UCS1)behind;
    return to + digits + 1;
}

/* Returns NULL, without an exception, where there is another timezone. */
PyObject *
isoformat(State *state, PyObject *value)
{
    PyObject *zone = PyDateTime_DATE_GET_TZINFO(value);
    if (zone != Py_None && zone != THING(state, UTC))
        return NULL;
    Py_UCS1 text[40], *to = text;
    int micros = PyDateTime_DATE_GET_MICROSECOND(value);
    to = put_digits(to, PyDateTime_GET_YEAR(value), 4, '-');
    to = put_digits(to, PyDateTime_GET_MONTH(value), 2, '-');
    to = put_digits(to, PyDateTime_GET_DAY(value), 2, 'T');
    to = put_digits(to, PyDateTime_DATE_GET_HOUR(value), 2, ':');
    to = put_digits(to, PyDateTime_DATE_GET_MINUTE(value), 2, ':');
    to = put_digits(to, PyDateTime_DATE_GET_SECOND(value), 2, '.');
    if (micros != 0)
        to = put_digits(to, micros, 6, '+');
    to--; /* what would follow */
    if (zone != Py_None) {
        memcpy(to, "+00:00", 6);
        to += 6;
    }
    return PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, text, to - text);
}
