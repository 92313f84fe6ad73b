/*
 * What aiohttp's signal calls before a response is sent. The twin is on_response_prepare() of
 * request/middleware.py, and responding() of request/serve.py.
 *
 * A receiver's result is awaited. Most of the time there is nothing to wait for, and a
 * coroutine would cost more than what it does: then the result is something that is done.
 */
#include "begin.h"

typedef struct {
    PyObject_HEAD
    PyObject *begin; /* None as long as nothing has begun */
    PyObject *twin;
    PyObject *done;
} Responding;

/* 0 if it's done, UNUSUAL if it's left to the twin, -1 if an exception has to go on. */
static int
respond(Begin *begin, PyObject *request, PyObject *response)
{
    Ending *last = (Ending *)Py_XNewRef(begin->last.ending);
    int is_last = last != NULL && last->served != NULL &&
                  OF_SERVED(last->served, _request) == request;
    PyObject *served = is_last ? Py_NewRef(last->served)
                               : PyObject_GetItem(request, IT(served_key));
    if (served == NULL) {
        Py_XDECREF(last);
        return unless_fatal();
    }
    int usual = Py_IS_TYPE(served, (PyTypeObject *)IT(served_type)) &&
                OF_SERVED(served, _theirs) == Py_None &&
                OF_SERVED(served, _request) == request &&
                !PyObject_TypeCheck(response, (PyTypeObject *)IT(websocket_type));
    PyObject *protocol = is_last ? last->protocol : NULL;
    PyObject *transport = usual ? transport_of(begin, request, protocol) : NULL;
    PyObject *headers = transport ? ASK(response, headers) : NULL;
    PyObject *responded = headers ? clock_now(begin) : NULL, *set = NULL;
    if (responded != NULL) {
        set = PyObject_CallMethodObjArgs(headers, begin->names[A_setdefault],
                                         IT(response_header),
                                         OF_SERVED(served, request_id), NULL);
        Py_XSETREF(OF_SERVED(served, _responded), responded);
        if (transport != Py_None) /* else there's nobody to send it to */
            Py_XSETREF(OF_SERVED(served, _response), Py_NewRef(response));
    }
    Py_XDECREF(set);
    Py_XDECREF(headers);
    Py_XDECREF(transport);
    Py_DECREF(served);
    Py_XDECREF(last);
    return set == NULL ? unless_fatal() : 0;
}

static PyObject *
responding_call(PyObject *self, PyObject *args, PyObject *keywords)
{
    Responding *of = (Responding *)self;
    if (of->twin == NULL)
        return PyErr_SetString(PyExc_TypeError, "it was not initialized"), NULL;
    int plain = keywords == NULL || PyDict_GET_SIZE(keywords) == 0;
    if (plain && PyTuple_GET_SIZE(args) == 2 && is_begin(of->begin)) {
        int left = respond((Begin *)of->begin, PyTuple_GET_ITEM(args, 0),
                           PyTuple_GET_ITEM(args, 1));
        if (left <= 0)
            return left < 0 ? NULL : Py_NewRef(of->done);
    }
    return PyObject_Call(of->twin, args, keywords);
}

static int
responding_init(PyObject *self, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    Responding *of = (Responding *)self;
    if (PyTuple_GET_SIZE(args) != 2)
        return PyErr_SetString(PyExc_TypeError, "Responding takes 2 arguments"), -1;
    Py_XSETREF(of->twin, Py_NewRef(PyTuple_GET_ITEM(args, 0)));
    Py_XSETREF(of->done, Py_NewRef(PyTuple_GET_ITEM(args, 1)));
    Py_XSETREF(of->begin, Py_NewRef(Py_None));
    return 0;
}

static int
responding_traverse(PyObject *self, visitproc visit, void *arg)
{
    Responding *of = (Responding *)self;
    Py_VISIT(of->begin);
    Py_VISIT(of->twin);
    Py_VISIT(of->done);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int
responding_clear(PyObject *self)
{
    Responding *of = (Responding *)self;
    Py_CLEAR(of->begin);
    Py_CLEAR(of->twin);
    Py_CLEAR(of->done);
    return 0;
}

static PyMemberDef responding_members[] = {
    {"begin", T_OBJECT, offsetof(Responding, begin), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot responding_slots[] = {
    {Py_tp_doc, "Responding(twin, done): a receiver of on_response_prepare."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, responding_init},
    {Py_tp_call, responding_call},
    {Py_tp_members, responding_members},
    {Py_tp_traverse, responding_traverse},
    {Py_tp_clear, responding_clear},
    {Py_tp_dealloc, clear_and_free},
    {0, NULL},
};

static PyType_Spec responding_spec = {
    .name = "otel_aiohttp_logs._speed._c.Responding",
    .basicsize = sizeof(Responding),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = responding_slots,
};

/* What is awaited and done at once: one stands for all. */
static PyObject *
itself(PyObject *self)
{
    return Py_NewRef(self);
}

static PyObject *
no_more(PyObject *Py_UNUSED(self))
{
    return NULL; /* ends with None */
}

static PySendResult
sent(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(value), PyObject **result)
{
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

static PyType_Slot done_slots[] = {
    {Py_tp_doc, "Awaited, it's done at once."},
    {Py_am_await, itself},
    {Py_am_send, sent},
    {Py_tp_iter, itself},
    {Py_tp_iternext, no_more},
    {0, NULL},
};

static PyType_Spec done_spec = {
    .name = "otel_aiohttp_logs._speed._c.Done",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = done_slots,
};

int
add_responding(PyObject *module)
{
    return add_type(module, &responding_spec) < 0 ? -1 : add_type(module, &done_spec);
}
