/*
 * A request ends: its task is done. The twin is ServedRequest.finished() of request/serve.py;
 * what is done here is the end of a request that was answered with less than 400, over a
 * connection that still stands. All others end there.
 */
#include "begin.h"

#include <stddef.h>
#include <structmember.h>

static int
is_usual(Begin *begin, PyObject *served)
{
    PyObject *span = OF_SERVED(served, _span);
    int recorded = Py_IS_TYPE(span, (PyTypeObject *)IT(span_type));
    if (recorded && OF_SPAN(span, end_time) != Py_None)
        return 0; /* somebody else has ended it */
    return (recorded || Py_IS_TYPE(span, (PyTypeObject *)IT(unrecorded_type))) &&
           OF_SERVED(served, _request) != Py_None &&
           OF_SERVED(served, _response) != Py_None &&
           OF_SERVED(served, _messages) == Py_None &&
           OF_SERVED(served, _error) == Py_None &&
           OF_SERVED(served, _metrics) == Py_None &&
           OF_SERVED(served, _theirs) == Py_None;
}

/* aiohttp's task returns (response, whether the connection was reset). */
static int
is_in_order(Begin *begin, const Ending *ending, PyObject *task)
{
    PyObject *result = PyObject_CallMethodNoArgs(task, begin->names[A_result]);
    if (result == NULL)
        PyErr_Clear(); /* what ended the task is asked for once more */
    int in_order = result != NULL && PyTuple_CheckExact(result) &&
                   PyTuple_GET_SIZE(result) == 2 && PyTuple_GET_ITEM(result, 1) != Py_True;
    Py_XDECREF(result);
    PyObject *request = OF_SERVED(ending->served, _request);
    PyObject *transport =
        in_order ? transport_of(begin, request, ending->protocol) : NULL;
    in_order = transport != NULL && transport != Py_None;
    Py_XDECREF(transport);
    return in_order;
}

static PyObject *
good_status(Begin *begin, PyObject *served)
{
    PyObject *status = ASK(OF_SERVED(served, _response), status);
    int overflow;
    long number = status != NULL && PyLong_CheckExact(status)
                      ? PyLong_AsLongAndOverflow(status, &overflow)
                      : 0;
    if (number < 100 || number >= 400)
        Py_CLEAR(status);
    return status;
}

static int
call(PyObject *object, PyObject *name, PyObject *argument)
{
    PyObject *args[] = {object, argument};
    PyObject *done = PyObject_VectorcallMethod(name, args, argument ? 2 : 1, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* 0, or UNUSUAL with the span as it was. */
static int
give_status(Begin *begin, PyObject *span, PyObject *status)
{
    PyObject *attributes = OF_SPAN(span, attributes);
    if (!PyDict_CheckExact(attributes) ||
        PyDict_GET_SIZE(attributes) >= PyLong_AsSsize_t(IT(most)))
        return UNUSUAL;
    return PyDict_SetItem(attributes, IT(status_name), status) < 0 ? UNUSUAL : 0;
}

/* RecordingSpan.end(); -1 if an exception has to go on. */
static int
end_span(Begin *begin, PyObject *served, PyObject *span)
{
    uint64_t nanoseconds;
    PyObject *end_time = clock_ns(begin);
    int queued = 0;
    if (end_time != NULL && as_uint64(end_time, &nanoseconds) == 0)
        queued = queue_span(begin->state, span, nanoseconds);
    if (queued != 0)
        Py_XSETREF(OF_SPAN(span, end_time), Py_NewRef(end_time));
    Py_XDECREF(end_time);
    if (unless_fatal() < 0)
        return -1;
    return queued != 0 ? 0 : call(served, begin->names[A__end_span], NULL);
}

static void
let_go(Begin *begin, PyObject *served)
{
    PyObject *ended = clock_time(begin);
    if (ended != NULL)
        Py_XSETREF(OF_SCOPE(OF_SERVED(served, scope), ended), ended);
    else
        PyErr_Clear();
    /* The request holds it: without this it lives until the garbage collector runs. */
    Py_XSETREF(OF_SERVED(served, _request), Py_NewRef(Py_None));
    Py_XSETREF(OF_SERVED(served, _response), Py_NewRef(Py_None));
}

/* 0 if it's done, UNUSUAL if nothing is done yet, -1 if an exception has to go on. */
static int
end(Begin *begin, const Ending *ending, PyObject *task)
{
    PyObject *served = ending->served;
    if (!is_usual(begin, served) || !is_in_order(begin, ending, task))
        return unless_fatal();
    PyObject *status = good_status(begin, served), *span = OF_SERVED(served, _span);
    if (status == NULL)
        return unless_fatal();
    int recorded = Py_IS_TYPE(span, (PyTypeObject *)IT(span_type));
    int left = recorded ? give_status(begin, span, status) : 0;
    if (left == 0 && IT(write_event) != Py_None && end_event(begin, served, status) != 0)
        left = PyErr_Occurred() ? -1 : call(served, begin->names[A__end_event], status);
    Py_DECREF(status);
    if (left == 0 && recorded)
        left = end_span(begin, served, span);
    if (left == 0)
        let_go(begin, served);
    return left;
}

static PyObject *
ending_call(PyObject *self, PyObject *const *args, size_t number,
            PyObject *Py_UNUSED(keywords))
{
    Ending *ending = (Ending *)self;
    if (PyVectorcall_NARGS(number) != 1) {
        PyErr_SetString(PyExc_TypeError, "it takes a task");
        return NULL;
    }
    Begin *begin = ending->begin;
    int left = end(begin, ending, args[0]);
    if (begin->last.ending == self)
        Py_CLEAR(begin->last.ending);
    if (left == 0)
        return Py_NewRef(Py_None);
    if (left < 0)
        return NULL;
    return PyObject_CallMethodOneArg(ending->served, begin->names[A_finished], args[0]);
}

static int
ending_traverse(PyObject *self, visitproc visit, void *arg)
{
    Ending *ending = (Ending *)self;
    Py_VISIT(ending->begin);
    Py_VISIT(ending->served);
    Py_VISIT(ending->protocol);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int
ending_clear(PyObject *self)
{
    Ending *ending = (Ending *)self;
    Py_CLEAR(ending->begin);
    Py_CLEAR(ending->served);
    Py_CLEAR(ending->protocol);
    return 0;
}

PyObject *
new_ending(Begin *begin, PyObject *served, PyObject *protocol)
{
    PyTypeObject *type = (PyTypeObject *)IT(ending_type);
    Ending *ending = (Ending *)type->tp_alloc(type, 0);
    if (ending != NULL) {
        ending->begin = (Begin *)Py_NewRef(begin);
        ending->served = Py_NewRef(served);
        ending->protocol = Py_XNewRef(protocol);
        ending->call = ending_call;
    }
    return (PyObject *)ending;
}

static PyMemberDef ending_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Ending, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot ending_slots[] = {
    {Py_tp_doc, "Called with the task of a request that is done."},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, ending_members},
    {Py_tp_traverse, ending_traverse},
    {Py_tp_clear, ending_clear},
    {Py_tp_dealloc, clear_and_free},
    {0, NULL},
};

static PyType_Spec ending_spec = {
    .name = "otel_aiohttp_logs._speed._c.Ending",
    .basicsize = sizeof(Ending),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = ending_slots,
};

int
add_ending(PyObject *module)
{
    return add_type(module, &ending_spec);
}
