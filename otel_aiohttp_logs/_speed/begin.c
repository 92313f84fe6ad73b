/*
 * A request begins. The twin is ServedRequest.__init__ of request/serve.py, with what that
 * calls: OwnTracer._begin() of span/tracer.py and request_attributes() of
 * request/attributes.py.
 *
 * A Begin is made once an application, of all that is the same for each of its requests. It
 * is called with a request, and returns the ServedRequest, or None where something is
 * unusual and nothing has been begun.
 */
#include "speed.h"

/* What it's made with, by name. Those after AFTER are the names of attributes. */
#define BEGIN_THINGS(X)                                                                  \
    X(served_type) X(span_type) X(scope_type) X(context_type) X(instruments) X(tracer)   \
    X(provider) X(scope) X(kind) X(no_state) X(unset) X(none_dropped) X(lenient)         \
    X(span_key) X(request_key) X(context_var) X(extract) X(id_for) X(parent_of)          \
    X(trace_bits) X(span_bits) X(time_ns) X(perf_counter) X(methods) X(attributes_of)    \
    X(server_address) X(version_of)                                                      \
    X(method_name) X(path_name) X(scheme_name) X(version_name) X(route_name)             \
    X(client_name) X(agent_name) X(id_name)

/* What is asked for by attribute. */
#define BEGIN_NAMES(X)                                                                   \
    X(canonical) X(get) X(headers) X(match_info) X(method) X(pipeline) X(raw_path)       \
    X(raw_query_string) X(rel_url) X(remote) X(resource) X(route) X(sampler) X(scheme)   \
    X(sink) X(span) X(version) X(Host)

/* The slots of ServedRequest, of RecordingSpan and of RequestScope, and their values. */
#define SERVED_SLOTS(X)                                                                  \
    X(_attributes) X(_cancelled) X(_error) X(_instruments) X(_messages) X(_metrics)      \
    X(_request) X(_responded) X(_response) X(_span) X(_started) X(_theirs) X(context)    \
    X(request_id) X(scope)
#define SPAN_SLOTS(X)                                                                    \
    X(_context) X(_dropped) X(_events) X(_lenient) X(_links) X(_sink) X(_status)         \
    X(attributes) X(end_time) X(flags) X(kind) X(name) X(parent) X(scope) X(span_id)     \
    X(start_time) X(trace_id) X(trace_state)
#define SCOPE_SLOTS(X) X(bound) X(ended) X(known) X(request_id) X(span) X(tracer)

#define B_INDEX(name) B_##name,
#define A_INDEX(name) A_##name,
#define SERVED_INDEX(name) SERVED_##name,
#define SPAN_INDEX(name) SPAN_##name,
#define SCOPE_INDEX(name) SCOPE_##name,
#define AS_TEXT(name) #name,
enum { BEGIN_THINGS(B_INDEX) B_COUNT };
enum { BEGIN_NAMES(A_INDEX) A_COUNT };
enum { SERVED_SLOTS(SERVED_INDEX) SERVED_COUNT };
enum { SPAN_SLOTS(SPAN_INDEX) SPAN_COUNT };
enum { SCOPE_SLOTS(SCOPE_INDEX) SCOPE_COUNT };
static const char *const thing_names[] = {BEGIN_THINGS(AS_TEXT)};
static const char *const names[] = {BEGIN_NAMES(AS_TEXT)};
static const char *const served_slots[] = {SERVED_SLOTS(AS_TEXT)};
static const char *const span_slots[] = {SPAN_SLOTS(AS_TEXT)};
static const char *const scope_slots[] = {SCOPE_SLOTS(AS_TEXT)};

#define MOST_CHARACTERS 2048

typedef struct {
    PyObject_HEAD
    PyObject *things[B_COUNT];
    PyObject *names[A_COUNT];
    PyObject *agent_header;
    PyObject *empty, *false, *zero_tuple;
    PyObject *canonical; /* of each resource, which is always the same */
    Py_ssize_t served_at[SERVED_COUNT], span_at[SPAN_COUNT], scope_at[SCOPE_COUNT];
} Begin;

#define IT(name) (begin->things[B_##name])
#define ASK(object, name) PyObject_GetAttr(object, begin->names[A_##name])

/* --- objects with slots --- */

/* Returns a new instance, its slots filled; the references in *values* are taken over. */
static PyObject *
filled(PyObject *type, const Py_ssize_t *at, PyObject **values, int count)
{
    static PyObject *no_args = NULL;
    if (no_args == NULL && (no_args = PyTuple_New(0)) == NULL)
        return NULL;
    PyObject *made = PyBaseObject_Type.tp_new((PyTypeObject *)type, no_args, NULL);
    for (int i = 0; i < count; i++) {
        if (made != NULL)
            *slot(made, at[i]) = values[i];
        else
            Py_XDECREF(values[i]);
    }
    return made;
}

static int
find_them(PyObject *type, const char *const *slots, int count, Py_ssize_t *at)
{
    for (int i = 0; i < count; i++) {
        PyObject *found = PyObject_GetAttrString(type, slots[i]);
        if (found == NULL)
            return -1;
        if (!Py_IS_TYPE(found, &PyMemberDescr_Type)) {
            PyErr_Format(PyExc_TypeError, "%s of %R is no slot", slots[i], type);
            Py_DECREF(found);
            return -1;
        }
        at[i] = ((PyMemberDescrObject *)found)->d_member->offset;
        Py_DECREF(found);
    }
    return 0;
}

/* --- the attributes of the request --- */

static int
put_owned(PyObject *dict, PyObject *key, PyObject *value)
{
    int failed = value == NULL ? -1 : PyDict_SetItem(dict, key, value);
    Py_XDECREF(value);
    return failed;
}

/* A caller's text that is short enough to stand there whole. */
static int
is_short(PyObject *text)
{
    return text != NULL && PyUnicode_Check(text) &&
           PyUnicode_GET_LENGTH(text) <= MOST_CHARACTERS;
}

static int
put_url(Begin *begin, PyObject *attributes, PyObject *request)
{
    PyObject *url = ASK(request, rel_url);
    if (url == NULL)
        return -1;
    PyObject *path = ASK(url, raw_path), *query = ASK(url, raw_query_string);
    int failed = -1;
    if (is_short(path) && query != NULL && PyUnicode_Check(query) &&
        PyUnicode_GET_LENGTH(query) == 0)
        failed = PyDict_SetItem(attributes, IT(path_name), path);
    Py_XDECREF(path);
    Py_XDECREF(query);
    Py_DECREF(url);
    return failed;
}

static PyObject *
header(Begin *begin, PyObject *headers, PyObject *name)
{
    return PyObject_CallMethodOneArg(headers, begin->names[A_get], name);
}

static int
put_agent(Begin *begin, PyObject *attributes, PyObject *headers)
{
    PyObject *agent = header(begin, headers, begin->agent_header);
    int failed = agent == NULL ? -1 : 0;
    if (agent != NULL && agent != Py_None) {
        if (!is_short(agent))
            failed = -1;
        else if (PyUnicode_GET_LENGTH(agent) > 0)
            failed = PyDict_SetItem(attributes, IT(agent_name), agent);
    }
    Py_XDECREF(agent);
    return failed;
}

static int
put_host(Begin *begin, PyObject *attributes, PyObject *headers)
{
    PyObject *host = header(begin, headers, begin->names[A_Host]);
    int failed = host == NULL ? -1 : 0;
    if (host != NULL && host != Py_None && PyObject_IsTrue(host)) {
        PyObject *address = PyObject_CallOneArg(IT(server_address), host);
        failed = address == NULL ? -1 : PyDict_Update(attributes, address);
        Py_XDECREF(address);
    }
    Py_XDECREF(host);
    return failed;
}

static int
put_remote(Begin *begin, PyObject *attributes, PyObject *request)
{
    PyObject *remote = ASK(request, remote);
    int failed = remote == NULL ? -1 : 0;
    if (remote != NULL && remote != Py_None && PyObject_IsTrue(remote))
        failed = PyDict_SetItem(attributes, IT(client_name), remote);
    Py_XDECREF(remote);
    return failed;
}

static int
put_version(Begin *begin, PyObject *attributes, PyObject *request)
{
    PyObject *version = ASK(request, version);
    if (version == NULL)
        return -1;
    PyObject *text = PyObject_CallOneArg(IT(version_of), version);
    Py_DECREF(version);
    return put_owned(attributes, IT(version_name), text);
}

/* As request_attributes() has them, in its order; NULL where anything is unusual. */
static PyObject *
ordinary_attributes(Begin *begin, PyObject *request, PyObject *headers, PyObject *method,
                    PyObject *route)
{
    if (PySet_Contains(IT(methods), method) != 1)
        return NULL;
    PyObject *attributes = PyDict_New();
    if (attributes == NULL ||
        PyDict_SetItem(attributes, IT(method_name), method) < 0 ||
        put_url(begin, attributes, request) < 0 ||
        put_owned(attributes, IT(scheme_name), ASK(request, scheme)) < 0 ||
        put_version(begin, attributes, request) < 0 ||
        (route != Py_None && PyDict_SetItem(attributes, IT(route_name), route) < 0) ||
        put_remote(begin, attributes, request) < 0 ||
        put_agent(begin, attributes, headers) < 0 ||
        put_host(begin, attributes, headers) < 0)
        Py_CLEAR(attributes);
    return attributes;
}

static PyObject *
attributes_of(Begin *begin, PyObject *request, PyObject *headers, PyObject *method,
              PyObject *route)
{
    PyObject *attributes = ordinary_attributes(begin, request, headers, method, route);
    if (attributes != NULL || unless_fatal() < 0)
        return attributes;
    attributes =
        PyObject_CallFunctionObjArgs(IT(attributes_of), request, route, NULL);
    if (attributes != NULL && !PyDict_CheckExact(attributes))
        Py_CLEAR(attributes);
    return attributes;
}

/* The template of the route, None where none matched. */
static PyObject *
route_of(Begin *begin, PyObject *request)
{
    PyObject *match = ASK(request, match_info), *route = NULL, *resource = NULL;
    if (match != NULL && (route = ASK(match, route)) != NULL)
        resource = ASK(route, resource);
    Py_XDECREF(match);
    Py_XDECREF(route);
    if (resource == NULL || resource == Py_None)
        return resource;
    PyObject *known = PyDict_GetItemWithError(begin->canonical, resource);
    PyObject *template = known != NULL ? Py_NewRef(known) : ASK(resource, canonical);
    if (known == NULL && template != NULL &&
        PyDict_SetItem(begin->canonical, resource, template) < 0)
        PyErr_Clear(); /* one that can't be remembered is asked again */
    Py_DECREF(resource);
    return template;
}

/* --- the span --- */

typedef struct {
    PyObject *name, *start_time, *attributes, *context;
    PyObject *parent, *asked, *trace_id, *span_id, *state, *sink;
    long flags;
} Span;

static void
span_free(Span *span)
{
    Py_XDECREF(span->name);
    Py_XDECREF(span->start_time);
    Py_XDECREF(span->attributes);
    Py_XDECREF(span->context);
    Py_XDECREF(span->parent);
    Py_XDECREF(span->asked);
    Py_XDECREF(span->trace_id);
    Py_XDECREF(span->span_id);
    Py_XDECREF(span->state);
    Py_XDECREF(span->sink);
}

/* Finds the caller's span: parent_of() returns (parent, asked, flags), see tracer.py. */
static int
find_parent(Begin *begin, Span *span)
{
    if (PyDict_GET_SIZE(span->context) == 0) {
        span->parent = Py_NewRef(Py_None);
        span->asked = Py_NewRef(Py_None);
        span->trace_id = PyObject_CallNoArgs(IT(trace_bits));
        span->state = Py_NewRef(IT(no_state));
        span->flags = 2;
        return span->trace_id == NULL ? -1 : 0;
    }
    PyObject *found = PyObject_CallOneArg(IT(parent_of), span->context);
    if (found == NULL || !PyTuple_CheckExact(found) || PyTuple_GET_SIZE(found) != 5) {
        Py_XDECREF(found);
        return -1;
    }
    span->parent = Py_NewRef(PyTuple_GET_ITEM(found, 0));
    span->asked = Py_NewRef(PyTuple_GET_ITEM(found, 1));
    span->trace_id = Py_NewRef(PyTuple_GET_ITEM(found, 2));
    span->state = Py_NewRef(PyTuple_GET_ITEM(found, 3));
    span->flags = PyLong_AsLong(PyTuple_GET_ITEM(found, 4));
    Py_DECREF(found);
    return span->flags == -1 ? -1 : 0;
}

/* 1 if the pipeline wants the span, which goes to span->sink then. */
static int
is_wanted(Begin *begin, Span *span)
{
    PyObject *pipeline = ASK(IT(provider), pipeline);
    if (pipeline == NULL || pipeline == Py_None) {
        Py_XDECREF(pipeline);
        return -1;
    }
    PyObject *kind = ASK(pipeline, span), *sampler = ASK(pipeline, sampler);
    span->sink = ASK(pipeline, sink);
    Py_DECREF(pipeline);
    int wanted = -1;
    if (kind == IT(span_type) && sampler != NULL && span->sink != NULL) {
        PyObject *both[] = {span->asked, span->trace_id};
        PyObject *answer = PyObject_Vectorcall(sampler, both, 2, NULL);
        wanted = answer == NULL ? -1 : answer == Py_True;
        Py_XDECREF(answer);
    }
    Py_XDECREF(kind);
    Py_XDECREF(sampler);
    return wanted;
}

static PyObject *
recording_span(Begin *begin, Span *span, PyObject *request_id)
{
    PyObject *flags = PyLong_FromLong(span->flags | 1);
    PyObject *attributes = PyDict_Copy(span->attributes);
    span->span_id = PyObject_CallNoArgs(IT(span_bits));
    if (flags == NULL || attributes == NULL || span->span_id == NULL ||
        PyDict_SetItem(attributes, IT(id_name), request_id) < 0) {
        Py_XDECREF(flags);
        Py_XDECREF(attributes);
        return NULL;
    }
    PyObject *values[] = {
        [SPAN__context] = Py_NewRef(Py_None),
        [SPAN__dropped] = Py_NewRef(IT(none_dropped)),
        [SPAN__events] = Py_NewRef(begin->empty),
        [SPAN__lenient] = Py_NewRef(IT(lenient)),
        [SPAN__links] = Py_NewRef(begin->empty),
        [SPAN__sink] = Py_NewRef(span->sink),
        [SPAN__status] = Py_NewRef(IT(unset)),
        [SPAN_attributes] = attributes,
        [SPAN_end_time] = Py_NewRef(Py_None),
        [SPAN_flags] = flags,
        [SPAN_kind] = Py_NewRef(IT(kind)),
        [SPAN_name] = Py_NewRef(span->name),
        [SPAN_parent] = Py_NewRef(span->parent),
        [SPAN_scope] = Py_NewRef(IT(scope)),
        [SPAN_span_id] = Py_NewRef(span->span_id),
        [SPAN_start_time] = Py_NewRef(span->start_time),
        [SPAN_trace_id] = Py_NewRef(span->trace_id),
        [SPAN_trace_state] = Py_NewRef(span->state),
    };
    return filled(IT(span_type), begin->span_at, values, SPAN_COUNT);
}

/* --- the request's scope and context --- */

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
    PyObject *started = PyObject_CallNoArgs(IT(perf_counter));
    PyObject *own = started == NULL ? NULL : recording_span(begin, span, request_id);
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

/* --- all of it --- */

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
        find_parent(begin, span) < 0 || is_wanted(begin, span) != 1)
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

static PyObject *
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

/* --- the type --- */

static int
begin_traverse(PyObject *self, visitproc visit, void *arg)
{
    Begin *begin = (Begin *)self;
    for (int i = 0; i < B_COUNT; i++)
        Py_VISIT(begin->things[i]);
    Py_VISIT(begin->canonical);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int
begin_clear(PyObject *self)
{
    Begin *begin = (Begin *)self;
    for (int i = 0; i < B_COUNT; i++)
        Py_CLEAR(begin->things[i]);
    for (int i = 0; i < A_COUNT; i++)
        Py_CLEAR(begin->names[i]);
    Py_CLEAR(begin->canonical);
    Py_CLEAR(begin->agent_header);
    Py_CLEAR(begin->empty);
    Py_CLEAR(begin->false);
    return 0;
}

static void
begin_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    begin_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
begin_init(PyObject *self, PyObject *args, PyObject *given)
{
    Begin *begin = (Begin *)self;
    if (PyTuple_GET_SIZE(args) != 0)
        return PyErr_SetString(PyExc_TypeError, "by keyword only"), -1;
    for (int i = 0; i < B_COUNT; i++) {
        PyObject *thing = given ? PyDict_GetItemString(given, thing_names[i]) : NULL;
        if (thing == NULL)
            return PyErr_Format(PyExc_TypeError, "%s is missing", thing_names[i]), -1;
        Py_XSETREF(begin->things[i], Py_NewRef(thing));
    }
    for (int i = 0; i < A_COUNT; i++) {
        Py_XSETREF(begin->names[i], PyUnicode_InternFromString(names[i]));
        if (begin->names[i] == NULL)
            return -1;
    }
    Py_XSETREF(begin->agent_header, PyUnicode_InternFromString("User-Agent"));
    Py_XSETREF(begin->empty, PyTuple_New(0));
    Py_XSETREF(begin->false, Py_NewRef(Py_False));
    Py_XSETREF(begin->canonical, PyDict_New());
    if (!begin->agent_header || !begin->empty || !begin->canonical)
        return -1;
    if (find_them(IT(served_type), served_slots, SERVED_COUNT, begin->served_at) < 0 ||
        find_them(IT(span_type), span_slots, SPAN_COUNT, begin->span_at) < 0)
        return -1;
    return find_them(IT(scope_type), scope_slots, SCOPE_COUNT, begin->scope_at);
}

static PyType_Slot begin_slots[] = {
    {Py_tp_doc, "Begins the requests of one application: returns ServedRequest or None."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, begin_init},
    {Py_tp_call, begin_call},
    {Py_tp_traverse, begin_traverse},
    {Py_tp_clear, begin_clear},
    {Py_tp_dealloc, begin_dealloc},
    {0, NULL},
};

static PyType_Spec begin_spec = {
    .name = "otel_aiohttp_logs._speed._c.Begin",
    .basicsize = sizeof(Begin),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = begin_slots,
};

int
add_begin(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&begin_spec);
    int failed = type == NULL ? -1 : PyModule_AddObjectRef(module, "Begin", type);
    Py_XDECREF(type);
    return failed;
}
