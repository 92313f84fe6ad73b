#include "speed.h"

#define THING_NAME(name) #name,
static const char *const thing_names[] = {THINGS(THING_NAME)};
static const char *const names[] = {NAMES(THING_NAME)};

int
state_traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = state_of(module);
    for (int i = 0; i < THING_COUNT; i++)
        Py_VISIT(state->things[i]);
    Py_VISIT(state->recording);
    Py_VISIT(state->span_context);
    Py_VISIT(state->packed);
    return 0;
}

int
state_clear(PyObject *module)
{
    State *state = state_of(module);
    for (int i = 0; i < THING_COUNT; i++)
        Py_CLEAR(state->things[i]);
    Py_CLEAR(state->recording);
    Py_CLEAR(state->unset);
    Py_CLEAR(state->none_dropped);
    Py_CLEAR(state->span_kinds);
    Py_CLEAR(state->empty_states);
    Py_CLEAR(state->span_context);
    Py_CLEAR(state->kinds.event);
    Py_CLEAR(state->kinds.link);
    Py_CLEAR(state->kinds.scope);
    Py_CLEAR(state->packed);
    buffer_free(&state->packing);
    for (int i = 0; i < NAME_COUNT; i++)
        Py_CLEAR(state->names[i]);
    for (int i = 0; i < WHO_COUNT; i++)
        Py_CLEAR(state->who[i]);
    return 0;
}

int
state_make_names(PyObject *module)
{
    State *state = state_of(module);
    for (int i = 0; i < NAME_COUNT; i++) {
        state->names[i] = PyUnicode_InternFromString(names[i]);
        if (state->names[i] == NULL)
            return -1;
    }
    return 0;
}

/* Finds where the instances of *kind* have their slot *name*. */
int
find_slot(PyObject *kind, const char *name, Py_ssize_t *at)
{
    PyObject *found = PyObject_GetAttrString(kind, name);
    if (found == NULL)
        return -1;
    if (!Py_IS_TYPE(found, &PyMemberDescr_Type)) {
        PyErr_Format(PyExc_TypeError, "%s of %R is no slot", name, kind);
        Py_DECREF(found);
        return -1;
    }
    *at = ((PyMemberDescrObject *)found)->d_member->offset;
    Py_DECREF(found);
    return 0;
}

static int
find_slots(State *state)
{
    PyObject *record = THING(state, RECORD), *scope = THING(state, SCOPE);
    if (find_slot(record, "_context", &state->context_at) < 0 ||
        find_slot(record, "_ids", &state->ids_at) < 0 ||
        find_slot(record, "bound", &state->bound_at) < 0 ||
        find_slot(record, "said", &state->said_at) < 0)
        return -1;
    if (find_slot(scope, "span", &state->span_at) < 0 ||
        find_slot(scope, "ended", &state->ended_at) < 0 ||
        find_slot(scope, "request_id", &state->request_id_at) < 0)
        return -1;
    return find_slot(scope, "known", &state->known_at);
}

/* configure(*, THING=object, ...): all of them, once, before anything else. */
PyObject *
configure(PyObject *module, PyObject *Py_UNUSED(args), PyObject *given)
{
    State *state = state_of(module);
    for (int i = 0; i < THING_COUNT; i++) {
        PyObject *thing = given ? PyDict_GetItemString(given, thing_names[i]) : NULL;
        if (thing == NULL) {
            PyErr_Format(PyExc_TypeError, "%s is missing", thing_names[i]);
            return NULL;
        }
        Py_XSETREF(state->things[i], Py_NewRef(thing));
    }
    for (int i = 0; i < WHO_COUNT; i++)
        Py_CLEAR(state->who[i]);
    if (!PyType_Check(THING(state, RECORD)) || !PyType_Check(THING(state, SCOPE)) ||
        find_slots(state) < 0)
        return NULL;
    return Py_NewRef(Py_None);
}
