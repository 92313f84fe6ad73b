/*
 * A request begins. The twin is ServedRequest.__init__ of request/serve.py, with what that
 * calls: OwnTracer._begin() of span/tracer.py and request_attributes() of
 * request/attributes.py.
 *
 * A Begin is made once an application, of all that is the same for each of its requests. It
 * is called with a request, and returns the ServedRequest, or None where something is
 * unusual and nothing has been begun.
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
own_span(Begin *begin, Span *span, PyObject *request_id)
{
    if (span->wanted)
        return recording_span(begin, span, request_id);
    return PyObject_CallFunction(IT(unrecorded), "OOl", span->parent, span->trace_id,
                                 span->flags);
}

static PyObject *
served(Begin *begin, PyObject *request, Span *span, PyObject *request_id)
{
    PyObject *started = PyObject_CallNoArgs(IT(perf_counter));
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
        [SERVED__attributes] = Py_NewRef(span->attributes),
        [SERVED__cancelled] = Py_NewRef(begin->false),
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

static PyObject *
name_of(PyObject *method, PyObject *route)
{
    if (route == Py_None)
        return Py_NewRef(method);
    return PyUnicode_FromFormat("%U %U", method, route);
}

static PyObject *
begun(Begin *begin, PyObject *request, PyObject *headers, PyObject *method, PyObject *route,
      Span *span)
{
    if (!PyUnicode_CheckExact(method) || PySet_Contains(IT(methods), method) != 1 ||
        (route != Py_None && !PyUnicode_CheckExact(route)))
        return NULL;
    span->start_time = PyObject_CallNoArgs(IT(time_ns));
    span->context = PyObject_CallOneArg(IT(extract), headers);
    if (span->start_time == NULL || span->context == NULL || !PyDict_Check(span->context) ||
        find_parent(begin, span) < 0 || (span->wanted = is_wanted(begin, span)) < 0)
        return NULL;
    span->attributes = attributes_of(begin, request, headers, method, route);
    span->name = name_of(method, route);
    if (span->attributes == NULL || span->name == NULL)
        return NULL;
    PyObject *request_id = PyObject_CallOneArg(IT(id_for), headers);
    if (request_id == NULL)
        return NULL;
    PyObject *result = served(begin, request, span, request_id);
    Py_DECREF(request_id);
    return result;
}

PyObject *
begin_call(PyObject *self, PyObject *args, PyObject *keywords)
{
    Begin *begin = (Begin *)self;
    if (keywords != NULL || PyTuple_GET_SIZE(args) != 1) {
        PyErr_SetString(PyExc_TypeError, "it takes a request");
        return NULL;
    }
    PyObject *request = PyTuple_GET_ITEM(args, 0);
    PyObject *headers = ASK(request, headers), *method = ASK(request, method);
    PyObject *route = route_of(begin, request), *result = NULL;
    if (headers != NULL && method != NULL && route != NULL) {
        Span span = {0};
        result = begun(begin, request, headers, method, route, &span);
        span_free(&span);
    }
    Py_XDECREF(headers);
    Py_XDECREF(method);
    Py_XDECREF(route);
    if (result == NULL && unless_fatal() >= 0)
        result = Py_NewRef(Py_None);
    return result;
}
