/* Random ids. The twins are those of span/ids.py. */
#include "speed.h"

static uint64_t
rotated(uint64_t number, int by)
{
    return number << by | number >> (64 - by);
}

/* xoshiro256++ (https://prng.di.unimi.it/): fast, and every bit of it may be used. */
static uint64_t
random_bits(State *state)
{
    uint64_t *of = state->random;
    uint64_t result = rotated(of[0] + of[3], 23) + of[0];
    uint64_t third = of[1] << 17;
    of[2] ^= of[0];
    of[3] ^= of[1];
    of[1] ^= of[2];
    of[0] ^= of[3];
    of[2] ^= third;
    of[3] = rotated(of[3], 45);
    return result;
}

/* seed(32 bytes of the system's): at first, and in the child of a fork. */
PyObject *
seed(PyObject *module, PyObject *bytes)
{
    State *state = state_of(module);
    if (!PyBytes_CheckExact(bytes) || PyBytes_GET_SIZE(bytes) != sizeof(state->random)) {
        PyErr_SetString(PyExc_TypeError, "seed takes 32 bytes");
        return NULL;
    }
    memcpy(state->random, PyBytes_AS_STRING(bytes), sizeof(state->random));
    state->random[0] |= 1; /* all zeros would stay zeros */
    return Py_NewRef(Py_None);
}

static void
fill(State *state, unsigned char *bytes, int size)
{
    for (int i = 0; i < size; i += 8) {
        uint64_t bits = random_bits(state);
        memcpy(bytes + i, &bits, 8);
    }
}

static PyObject *
new_id(State *state, int size)
{
    unsigned char bytes[16];
    fill(state, bytes, size);
    bytes[0] |= bytes[size - 1] == 0; /* none may be zero */
    return _PyLong_FromByteArray(bytes, (size_t)size, 1, 0);
}

PyObject *
random_trace_id(State *state)
{
    return new_id(state, 16);
}

PyObject *
random_span_id(State *state)
{
    return new_id(state, 8);
}

/* In the text form of RFC 9562, version 4. */
PyObject *
random_guid(State *state)
{
    unsigned char bytes[16];
    fill(state, bytes, 16);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    return guid_text(bytes);
}

PyObject *
new_trace_id(PyObject *module, PyObject *Py_UNUSED(nothing))
{
    return random_trace_id(state_of(module));
}

PyObject *
new_span_id(PyObject *module, PyObject *Py_UNUSED(nothing))
{
    return random_span_id(state_of(module));
}

PyObject *
new_request_id(PyObject *module, PyObject *Py_UNUSED(nothing))
{
    return random_guid(state_of(module));
}
