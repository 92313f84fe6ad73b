#include "speed.h"

int
buffer_grow(Buffer *buffer, size_t more)
{
    size_t needed = buffer->size + more;
    size_t room = buffer->room ? buffer->room : 4096;
    while (room < needed)
        room *= 2;
    unsigned char *data = PyMem_Realloc(buffer->data, room);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    buffer->data = data;
    buffer->room = room;
    return 0;
}

void
buffer_free(Buffer *buffer)
{
    PyMem_Free(buffer->data);
    *buffer = (Buffer){0};
}
