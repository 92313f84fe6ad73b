/* A text as JSON. The twin is quoted() of output/escape.py. */
#include "speed.h"

static int
put_escape(Buffer *line, unsigned int code)
{
    char escape[8];
    PyOS_snprintf(escape, sizeof escape, "\\u%04x", code);
    return put_bytes(line, escape, 6);
}

static int
put_control(Buffer *line, unsigned char byte)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (const char *each = shorts; *each; each += 2) {
        if ((unsigned char)each[0] == byte) {
            const char escape[] = {'\\', each[1]};
            return put_bytes(line, escape, 2);
        }
    }
    return put_escape(line, byte);
}

/*
 * The code point at *text* if it's one of those that are escaped, 0 if not: C1 controls, line
 * and paragraph separators, marks that change the direction. All of them begin with these.
 */
static unsigned int
odd_at(const unsigned char *text, size_t left)
{
    if (text[0] == 0xc2 && left >= 2 && text[1] < 0xa0)
        return text[1];
    if (text[0] != 0xe2 || left < 3)
        return 0;
    unsigned int code = 0x2000u | (unsigned int)(text[1] & 0x3f) << 6 | (text[2] & 0x3fu);
    int odd = (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return odd ? code : 0;
}

static inline int
stands_as_it_is(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f && byte != 0xc2 &&
           byte != 0xe2;
}

static int
put_escaped(Buffer *line, const unsigned char *text, size_t size)
{
    size_t from = 0;
    for (size_t i = 0; i < size; i++) {
        if (stands_as_it_is(text[i]))
            continue;
        int ascii = text[i] < 0x80;
        unsigned int code = ascii ? text[i] : odd_at(text + i, size - i);
        if (!ascii && code == 0)
            continue;
        if (put_bytes(line, text + from, i - from) < 0 ||
            (ascii ? put_control(line, text[i]) : put_escape(line, code)) < 0)
            return -1;
        i += ascii ? 0 : text[i] == 0xc2 ? 1 : 2;
        from = i + 1;
    }
    return put_bytes(line, text + from, size - from);
}

/* How many bytes at the start of *text* are ASCII that stands as it is: eight at a time. */
static size_t
plain_bytes(const unsigned char *text, size_t size)
{
#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))
    size_t i = 0;
    for (; size - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, 8);
        uint64_t odd = word | (word - ALL(0x20)) | ((word ^ ALL('"')) - ALL(1)) |
                       ((word ^ ALL('\\')) - ALL(1)) | ((word ^ ALL(0x7f)) - ALL(1));
        if (odd & ALL(0x80))
            return i;
    }
    while (i < size && text[i] < 0x80 && stands_as_it_is(text[i]))
        i++;
    return i;
#undef ALL
}

int
put_quoted(Buffer *line, PyObject *text)
{
    Py_ssize_t size;
    const unsigned char *bytes = (const unsigned char *)utf8_of(text, &size);
    if (bytes == NULL || buffer_reserve(line, (size_t)size + 2) < 0)
        return -1;
    size_t plain = plain_bytes(bytes, (size_t)size);
    line->data[line->size++] = '"';
    memcpy(line->data + line->size, bytes, plain);
    line->size += plain;
    if (plain < (size_t)size && put_escaped(line, bytes + plain, (size_t)size - plain) < 0)
        return -1;
    return put_byte(line, '"');
}
