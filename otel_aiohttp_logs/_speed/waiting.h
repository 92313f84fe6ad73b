/* A queue of records; see waiting.c. */
#ifndef OTEL_AIOHTTP_LOGS_WAITING_H
#define OTEL_AIOHTTP_LOGS_WAITING_H

#include "speed.h"

typedef struct {
    PyObject *record;
    Py_ssize_t weight;
} Item;

typedef struct {
    PyObject_HEAD
    PyObject *wake, *refuse, *weigh;
    Py_ssize_t room, wake_at;
    /* A ring. */
    Item *items;
    Py_ssize_t size, first, number, weight;
} Waiting;

/* --- ring.c --- */

/* Forgets all that waits. */
void waiting_empty(Waiting *self);

#endif
