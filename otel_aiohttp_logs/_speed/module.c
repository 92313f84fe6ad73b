#include "speed.h"

#define FAST(function) ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL

#define FAST_KEYWORDS(function) \
    ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL | METH_KEYWORDS
#define KEYWORDS(function) \
    ((PyCFunction)(void (*)(void))(function)), METH_VARARGS | METH_KEYWORDS

static PyMethodDef functions[] = {
    {"configure", KEYWORDS(configure), NULL},
    {"group_logs", FAST(group_logs), NULL},
    {"group_spans", FAST(group_spans), NULL},
    {"make_event", FAST_KEYWORDS(make_event), NULL},
    {"make_record", FAST_KEYWORDS(make_record), NULL},
    {"seed", seed, METH_O, NULL},
    {"new_trace_id", new_trace_id, METH_NOARGS, NULL},
    {"new_span_id", new_span_id, METH_NOARGS, NULL},
    {"new_request_id", new_request_id, METH_NOARGS, NULL},
    {"json_line", FAST(json_line), NULL},
    {"know_spans", FAST(know_spans), NULL},
    {"new_span", FAST(new_span), NULL},
    {"queue_span", FAST(queue_ended), NULL},
    {"pass_on", FAST(pass_on), NULL},
    {"plain", FAST(plain), NULL},
    {"said", said, METH_O, NULL},
    {"show", FAST(show), NULL},
    {"write_event", FAST(write_event), NULL},
    {NULL, NULL, 0, NULL},
};

static int
add_interface(PyObject *module)
{
    /* Counted up with each change of what a function takes, here and in __init__.py. */
    return PyModule_AddIntConstant(module, "INTERFACE", 11);
}

static void
free_state(void *module)
{
    state_clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, add_interface},
    {Py_mod_exec, state_make_names},
    {Py_mod_exec, watch_forks},
    {Py_mod_exec, add_begin},
    {Py_mod_exec, add_packed},
    {Py_mod_exec, add_responding},
    {Py_mod_exec, add_ending},
    {Py_mod_exec, add_waiting},
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "otel_aiohttp_logs._speed._c",
    .m_doc = "The compiled twins: see otel_aiohttp_logs/_speed/__init__.py.",
    .m_size = sizeof(State),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = state_traverse,
    .m_clear = state_clear,
    .m_free = free_state,
};

PyMODINIT_FUNC
PyInit__c(void)
{
    return PyModuleDef_Init(&module);
}
