/*
 * A request begins. The twin is begin() of request/begin.py, with what that calls:
 * ServedRequest(), OwnTracer._begin() of span/tracer.py and request_attributes() of
 * request/attributes.py.
 *
 * A Begin is made once an application, of all that is the same for each of its requests. It
 * is called with a request, and returns its ServedRequest, or what the twin returns where
 * anything is unusual.
 */
#include "begin.h"

static PyObject *
scope_of(Begin *begin, PyObject *span, PyObject *request_id)
{
    PyObject *bound = PyDict_New();
    if (bound == NULL)
        return NULL;
    PyObject *values[] = {
        [SCOPE_bound] = bound,
        [SCOPE_ended] = Py_NewRef(Py_None),
        [SCOPE_known] = Py_NewRef(Py_None),
        [SCOPE_request_id] = Py_NewRef(request_id),
        [SCOPE_span] = Py_NewRef(span),
        [SCOPE_tracer] = Py_NewRef(IT(tracer)),
    };
    return filled(IT(scope_type), begin->scope_at, values, SCOPE_COUNT);
}

/* As request_context() of scope/request.py; the context is current from then on. */
static PyObject *
attached(Begin *begin, PyObject *outer, PyObject *span, PyObject *scope)
{
    PyObject *context = PyObject_CallNoArgs(IT(context_type));
    if (context == NULL || !PyDict_Check(context) ||
        (PyDict_GET_SIZE(outer) > 0 && PyDict_Update(context, outer) < 0) ||
        PyDict_SetItem(context, IT(span_key), span) < 0 ||
        PyDict_SetItem(context, IT(request_key), scope) < 0) {
        Py_XDECREF(context);
        return NULL;
    }
    PyObject *token = PyContextVar_Set(IT(context_var), context);
    if (token == NULL)
        Py_CLEAR(context);
    Py_XDECREF(token);
    return context;
}

static PyObject *
served(Begin *begin, PyObject *request, Span *span, PyObject *request_id)
{
    PyObject *started = clock_now(begin);
    PyObject *own = started == NULL ? NULL : own_span(begin, span, request_id);
    PyObject *scope = own == NULL ? NULL : scope_of(begin, own, request_id);
    PyObject *context =
        scope == NULL ? NULL : attached(begin, span->context, own, scope);
    if (context == NULL) {
        Py_XDECREF(started);
        Py_XDECREF(own);
        Py_XDECREF(scope);
        return NULL;
    }
    PyObject *values[] = {
        [SERVED__attributes] = Py_NewRef(span->attributes ? span->attributes : Py_None),
        [SERVED__cancelled] = Py_NewRef(Py_False),
        [SERVED__error] = Py_NewRef(Py_None),
        [SERVED__instruments] = Py_NewRef(IT(instruments)),
        [SERVED__messages] = Py_NewRef(Py_None),
        [SERVED__metrics] = Py_NewRef(Py_None),
        [SERVED__request] = Py_NewRef(request),
        [SERVED__responded] = Py_NewRef(Py_None),
        [SERVED__response] = Py_NewRef(Py_None),
        [SERVED__span] = own,
        [SERVED__started] = started,
        [SERVED__theirs] = Py_NewRef(Py_None),
        [SERVED_context] = context,
        [SERVED_request_id] = Py_NewRef(request_id),
        [SERVED_scope] = scope,
    };
    return filled(IT(served_type), begin->served_at, values, SERVED_COUNT);
}

/* What the caller sent along; most send nothing. */
static PyObject *
extracted(Begin *begin, PyObject *headers)
{
    PyObject *names = IT(extracts);
    if (!PyTuple_CheckExact(names))
        return PyObject_CallOneArg(IT(extract), headers);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        int there = PySequence_Contains(headers, PyTuple_GET_ITEM(names, i));
        if (there < 0)
            return NULL;
        if (there)
            return PyObject_CallOneArg(IT(extract), headers);
    }
    return Py_NewRef(IT(nothing));
}

/* What a span says: one that nobody samples needn't. */
static int
describe(Begin *begin, PyObject *request, PyObject *method, Span *span)
{
    PyObject *route = NULL;
    if (find_route(begin, request, method, &route, &span->name) == 0)
        span->attributes = attributes_of(begin, request, span->peer, route);
    Py_XDECREF(route);
    return span->attributes == NULL ? -1 : 0;
}

static PyObject *
begun(Begin *begin, PyObject *request, PyObject *headers, PyObject *method, Span *span)
{
    if (!PyUnicode_CheckExact(method) || PySet_Contains(IT(methods), method) != 1)
        return NULL;
    span->start_time = clock_ns(begin);
    span->context = extracted(begin, headers);
    if (span->start_time == NULL || span->context == NULL || !PyDict_Check(span->context) ||
        find_parent(begin, span) < 0 || (span->wanted = is_wanted(begin, span)) < 0)
        return NULL;
    span->protocol = protocol_of(begin, request);
    span->peer = peer_of(begin, request, span->protocol);
    if ((span->peer == NULL && unless_fatal() < 0) ||
        (span->wanted && describe(begin, request, method, span) < 0))
        return NULL;
    PyObject *request_id = IT(makes_ids) == Py_True
                               ? random_guid(begin->state)
                               : PyObject_CallOneArg(IT(id_for), headers);
    PyObject *result = request_id ? served(begin, request, span, request_id) : NULL;
    Py_XDECREF(request_id);
    return result;
}

/* By its loop: without, Python before 3.12 asks the system for the process' number. */
static PyObject *
task_of(Begin *begin, PyObject *peer)
{
    PyObject *loop = peer == NULL ? Py_None : PyTuple_GET_ITEM(peer, 2);
    return loop == Py_None ? PyObject_CallNoArgs(IT(current_task))
                           : PyObject_CallOneArg(IT(current_task), loop);
}

/* The request is told, and its task tells us of its end. */
static int
kept(Begin *begin, PyObject *request, PyObject *served, const Span *span)
{
    if (PyObject_SetItem(request, IT(served_key), served) < 0 ||
        PyObject_SetItem(request, IT(id_name), OF_SERVED(served, request_id)) < 0)
        return -1;
    PyObject *task = task_of(begin, span->peer);
    if (task == NULL || task == Py_None) {
        Py_XDECREF(task);
        return task == NULL ? -1 : 0;
    }
    PyObject *ending = new_ending(begin, served, span->protocol), *done = NULL;
    if (ending != NULL)
        done = PyObject_CallMethodOneArg(task, begin->names[A_add_done_callback], ending);
    Py_XSETREF(begin->last.ending, ending);
    Py_XDECREF(done);
    Py_DECREF(task);
    return done == NULL ? -1 : 0;
}

PyObject *
begin_call(PyObject *self, PyObject *const *args, size_t number, PyObject *keywords)
{
    Begin *begin = (Begin *)self;
    if (keywords != NULL || PyVectorcall_NARGS(number) != 1 || begin->last.peers == NULL) {
        PyErr_SetString(PyExc_TypeError, "it takes a request");
        return NULL;
    }
    PyObject *request = args[0], *result = NULL;
    Span span = {0};
    /* One that has anything noted already may be on its way. */
    if (PyObject_Size(request) == 0) {
        PyObject *headers = ASK(request, headers);
        PyObject *method = headers == NULL ? NULL : ASK(request, method);
        if (method != NULL)
            result = begun(begin, request, headers, method, &span);
        Py_XDECREF(headers);
        Py_XDECREF(method);
    }
    if (result == NULL)
        result = unless_fatal() < 0 ? NULL : PyObject_CallOneArg(IT(fallback), request);
    else if (kept(begin, request, result, &span) < 0 && unless_fatal() < 0)
        Py_CLEAR(result);
    span_free(&span);
    return result;
}
