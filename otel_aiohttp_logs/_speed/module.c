#include "speed.h"

#define FAST(function) ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL

static PyMethodDef functions[] = {
    {"group_logs", FAST(group_logs), NULL},
    {"group_spans", FAST(group_spans), NULL},
    {NULL, NULL, 0, NULL},
};

static int
add_interface(PyObject *module)
{
    /* Counted up with each change of what a function takes, here and in __init__.py. */
    return PyModule_AddIntConstant(module, "INTERFACE", 1);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, add_interface},
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "otel_aiohttp_logs._speed._c",
    .m_doc = "The compiled twins: see otel_aiohttp_logs/_speed/__init__.py.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__c(void)
{
    return PyModuleDef_Init(&module);
}
