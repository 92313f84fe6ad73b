/* The ring in which records wait, each with its weight. */
#include "waiting.h"

#define MAX_WEIGHT ((Py_ssize_t)64 << 20)

void
waiting_empty(Waiting *self)
{
    Item *items = self->items;
    Py_ssize_t size = self->size, first = self->first, number = self->number;
    self->items = NULL;
    self->size = self->first = self->number = self->weight = 0;
    for (Py_ssize_t i = 0; i < number; i++)
        Py_DECREF(items[(first + i) & (size - 1)].record);
    PyMem_Free(items);
}

static int
make_room(Waiting *self)
{
    if (self->number < self->size)
        return 0;
    Py_ssize_t size = self->size ? 2 * self->size : 64;
    Item *items = PyMem_New(Item, (size_t)size);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->number; i++)
        items[i] = self->items[(self->first + i) & (self->size - 1)];
    PyMem_Free(self->items);
    self->items = items;
    self->size = size;
    self->first = 0;
    return 0;
}

int
waiting_has_room(PyObject *waiting)
{
    const Waiting *self = (Waiting *)waiting;
    return self->number < self->room && self->weight < MAX_WEIGHT;
}

static int
call(PyObject *function)
{
    if (function == NULL) {
        PyErr_SetString(PyExc_TypeError, "a Waiting needs its functions");
        return -1;
    }
    PyObject *done = PyObject_CallNoArgs(function);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
waiting_refuse(PyObject *waiting)
{
    return call(((Waiting *)waiting)->refuse);
}

int
waiting_append(PyObject *waiting, PyObject *record, Py_ssize_t weight)
{
    Waiting *self = (Waiting *)waiting;
    if (make_room(self) < 0)
        return -1;
    Item *item = &self->items[(self->first + self->number) & (self->size - 1)];
    item->record = Py_NewRef(record);
    item->weight = weight;
    self->number++;
    self->weight += weight;
    if (self->number < self->wake_at)
        return 0;
    self->wake_at = PY_SSIZE_T_MAX;
    return call(self->wake);
}
