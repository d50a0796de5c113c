// What is printed: text that came from files made harmless for the terminal, JSON that can always
// be written, and the check that all of it arrived.
#define _DEFAULT_SOURCE
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// The bytes of the UTF-8 character at `text`, 0 if it is none or a control character.
static int printable(const unsigned char *text)
{
    const unsigned char c = text[0];
    if (c < 0x80)
        return c >= 0x20 && c != 0x7f;
    const int length = c >= 0xf0 && c < 0xf5 ? 4 :
                       c >= 0xe0 && c < 0xf0 ? 3 :
                       c >= 0xc2 && c < 0xe0 ? 2 :
                                               0;
    for (int i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    // Forms that are too long, surrogates, what is past the last character, and C1 controls.
    if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) ||
        (c == 0xf0 && text[1] < 0x90) || (c == 0xf4 && text[1] > 0x8f) ||
        (c == 0xc2 && text[1] < 0xa0))
        return 0;
    return length;
}

void print_text(const char *text, FILE *stream)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
        const int length = printable(c);
        if (length > 0)
            fwrite(c, 1, (size_t)length, stream);
        else
            fprintf(stream, "\\x%02x", *c);
        c += length > 0 ? length : 1;
    }
}

json_t *text_json(const char *text)
{
    char clean[4096];
    size_t size = 0;
    for (const unsigned char *c = (const unsigned char *)text;
         *c != '\0' && size + 5 < sizeof clean;) {
        const int length = printable(c);
        if (length > 0) {
            memcpy(clean + size, c, (size_t)length);
            size += (size_t)length;
        } else {
            size += (size_t)snprintf(clean + size, sizeof clean - size, "\\x%02x", *c);
        }
        c += length > 0 ? length : 1;
    }
    return json_stringn(clean, size);
}

// JSON has no word for what is not finite; these are the words that Python's json reads back from
// strings with float().
json_t *number_json(double value)
{
    if (isfinite(value))
        return json_real(value);
    return json_string(isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

void print_json_value(const json_t *value)
{
    if (!value || json_dumpf(value, stdout, JSON_INDENT(2)) != 0)
        cj_fail(CJ_OUT_OF_MEMORY, "the results cannot be written as JSON: out of memory");
    putchar('\n');
}

int finish(cj_status status)
{
    if (status == CJ_OK)
        return EXIT_DONE;
    fflush(stdout);
    fputs("cajal: ", stderr);
    print_text(cj_error()[0] != '\0' ? cj_error() : cj_status_meaning(status), stderr);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int output_columns(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

int64_t summary_width(void)
{
    const int width = output_columns() - 4; // of the text of the columns: the frame comes beside
    return width < 40 ? 40 : width > 120 ? 120 : width;
}

int close_output(int code)
{
    errno = 0;
    const bool failed = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !failed)
        return code;
    fprintf(stderr, "cajal: standard output cannot be written%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    return code == EXIT_DONE ? EXIT_FAILED : code;
}
