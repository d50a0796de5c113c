// Cuts a file into records and fields. A record is looked for in the block; if it is not whole, the
// block is filled up, and grows where one record is longer than it. Fields are made in place: quotes
// are taken out and the byte after a field, its separator or line end, becomes 0.
#include "data/csv.h"

#include "base/error.h"
#include "base/memory.h"
#include <string.h>

enum { BLOCK = 1 << 20, RECORD_MAX = 1 << 26, FIELDS_MAX = 1 << 16 };

static cj_status refuse(const cj__csv *csv, cj_status status, int64_t line, const char *what)
{
    return cj__fail(status, "%s, line %lld: %s", csv->path, (long long)line, what);
}

// Moves what is left to the front and reads on.
static cj_status fill(cj__csv *csv)
{
    const size_t left = csv->end - csv->at;
    if (csv->at > 0)
        memmove(csv->bytes, csv->bytes + csv->at, left);
    csv->at = 0;
    csv->end = left;
    if (left == csv->room) {
        if (csv->room >= RECORD_MAX)
            return refuse(csv, CJ_UNSUPPORTED, csv->next_line, "a record is longer than 64 MiB");
        char *bytes = cj__resize(csv->bytes, 2 * csv->room + 1, 1);
        if (!bytes)
            return CJ_OUT_OF_MEMORY;
        csv->bytes = bytes;
        csv->room *= 2;
    }
    size_t got;
    const size_t room = csv->room - csv->end;
    CJ_TRY(cj__packed_some(&csv->file, csv->bytes + csv->end, room, &got));
    csv->end += got;
    csv->read += got;
    csv->last = got < room;
    return CJ_OK;
}

static void skip_mark(cj__csv *csv)
{
    if (csv->end >= 3 && memcmp(csv->bytes, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

// What the first record has most of outside of quotes; tabs, where there are any, in a file that is named
// after them.
static char find_separator(const cj__csv *csv)
{
    static const char known[] = ",;\t|";
    int64_t counts[4] = {0};
    bool quoted = false;
    for (size_t i = csv->at; i < csv->end; i++) {
        const char c = csv->bytes[i];
        if (c == '"')
            quoted = !quoted;
        const char *found = quoted || !c ? NULL : strchr(known, c);
        if (found)
            counts[found - known]++;
        else if (!quoted && (c == '\n' || c == '\r') && i > csv->at)
            break;
    }
    int best = 0;
    if (counts[2] > 0 && (ends_with(csv->path, ".tsv") || ends_with(csv->path, ".tsv.gz")))
        return '\t';
    // of as many commas and semicolons, commas are in the fields
    for (int i = 1; i < 4; i++)
        if (counts[i] > counts[best] || (i == 1 && counts[i] > 0 && counts[i] == counts[0]))
            best = i;
    return known[best];
}

// Files that are no text of bytes would be refused for a byte 0, which does not help.
static cj_status check_kind(const cj__csv *csv)
{
    const unsigned char *bytes = (const unsigned char *)csv->bytes;
    if (csv->end >= 2 && (bytes[0] ^ bytes[1]) == 1 && bytes[0] >= 0xfe)
        return cj__fail(CJ_UNSUPPORTED, "%s: a text in UTF-16, it needs UTF-8", csv->path);
    return CJ_OK;
}

static cj_status start(cj__csv *csv)
{
    csv->at = csv->end = 0;
    csv->read = 0;
    csv->next_line = 1;
    csv->last = false;
    CJ_TRY(cj__packed_open(csv->path, &csv->file));
    csv->is_open = true;
    CJ_TRY(fill(csv));
    CJ_TRY(check_kind(csv));
    skip_mark(csv);
    return CJ_OK;
}

cj_status cj__csv_open(cj__csv *csv, const char *path, char separator)
{
    *csv = (cj__csv){.path = path, .room = BLOCK};
    csv->bytes = cj__new(BLOCK + 1, 1);
    cj_status status = csv->bytes ? start(csv) : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        csv->separator = separator ? separator : find_separator(csv);
    else
        cj__csv_close(csv);
    return status;
}

static void close_file(cj__csv *csv)
{
    if (csv->is_open)
        cj__packed_close(&csv->file);
    csv->is_open = false;
}

cj_status cj__csv_rewind(cj__csv *csv)
{
    close_file(csv);
    return start(csv);
}

void cj__csv_close(cj__csv *csv)
{
    close_file(csv);
    cj__free(csv->bytes);
    cj__free(csv->fields);
    csv->bytes = NULL;
    csv->fields = NULL;
}

static bool separates(const cj__csv *csv, char c)
{
    return c == csv->separator || (csv->separator == ' ' && c == '\t');
}

static cj_status add_field(cj__csv *csv, cj__csv_field field)
{
    if (csv->count == FIELDS_MAX)
        return refuse(csv, CJ_UNSUPPORTED, csv->line, "a record has more than 65,536 fields");
    if ((size_t)csv->count == csv->field_room) {
        const size_t room = csv->field_room > 0 ? 2 * csv->field_room : 64;
        cj__csv_field *fields = cj__resize(csv->fields, room, sizeof *fields);
        if (!fields)
            return CJ_OUT_OF_MEMORY;
        csv->fields = fields;
        csv->field_room = room;
    }
    csv->fields[csv->count++] = field;
    return CJ_OK;
}

// Where a record is: whole, or reaching beyond the block.
typedef enum reach { WHOLE, BEYOND } reach;

// Passes over a field in quotes from its opening one; *at is then after the closing one. A quote at
// the end of the block may be the first of two.
static cj_status close_quotes(const cj__csv *csv, size_t *at, reach *found)
{
    size_t i = *at + 1;
    for (;;) {
        const char *quote = memchr(csv->bytes + i, '"', csv->end - i);
        if (!quote || (size_t)(quote - csv->bytes) + 1 == csv->end) {
            if (!quote && csv->last)
                return refuse(csv, CJ_BAD_FILE, csv->next_line, "a quote is never closed");
            if (!csv->last) {
                *found = BEYOND;
                return CJ_OK;
            }
        }
        i = (size_t)(quote - csv->bytes) + 1;
        if (i == csv->end || csv->bytes[i] != '"')
            break;
        i++;
    }
    *at = i;
    *found = WHOLE;
    return CJ_OK;
}

// The end of a record without quotes on a line that ends in LF or CRLF, as most are; false where it
// must be looked for byte by byte.
static bool find_plain_end(const cj__csv *csv, size_t *end)
{
    const char *begin = csv->bytes + csv->at;
    const char *feed = memchr(begin, '\n', csv->end - csv->at);
    if (!feed || memchr(begin, '"', (size_t)(feed - begin)))
        return false;
    const char *back = memchr(begin, '\r', (size_t)(feed - begin));
    if (back && back + 1 != feed)
        return false;
    *end = (size_t)((back ? back : feed) - csv->bytes);
    return true;
}

// The place of the byte that ends the record that begins at csv->at, or the end of the file.
static cj_status find_end(const cj__csv *csv, size_t *end, reach *found)
{
    bool begins = true; // a field
    *found = WHOLE;
    if (find_plain_end(csv, end))
        return CJ_OK;
    for (size_t i = csv->at; i < csv->end;) {
        const char c = csv->bytes[i];
        if (c == '"' && begins) {
            CJ_TRY(close_quotes(csv, &i, found));
            if (*found == BEYOND)
                return CJ_OK;
            begins = false;
            continue;
        }
        if (c == '\n' || c == '\r') {
            // whether a CR has its LF must be known
            if (c == '\r' && i + 1 == csv->end && !csv->last)
                break;
            *end = i;
            return CJ_OK;
        }
        begins = separates(csv, c);
        i++;
    }
    *end = csv->end;
    *found = csv->last ? WHOLE : BEYOND;
    return CJ_OK;
}

// Takes the quotes out of a field; *next is the byte after the closing one.
static cj__csv_field unquote(cj__csv *csv, size_t at, size_t end, size_t *next)
{
    char *begin = csv->bytes + at, *to = begin;
    size_t i = at + 1;
    for (; i < end && (csv->bytes[i] != '"' || (i + 1 < end && csv->bytes[i + 1] == '"')); i++) {
        const char c = csv->bytes[i];
        i += c == '"';
        csv->next_line += c == '\n' || (c == '\r' && csv->bytes[i + 1] != '\n');
        *to++ = c;
    }
    *next = i + 1;
    *to = '\0';
    return (cj__csv_field){begin, (size_t)(to - begin), true};
}

static cj_status cut(cj__csv *csv, size_t end)
{
    if (memchr(csv->bytes + csv->at, '\0', end - csv->at))
        return refuse(csv, CJ_BAD_FILE, csv->line, "there is a byte 0");
    for (size_t at = csv->at;; at++) {
        cj__csv_field field = {csv->bytes + at, 0, false};
        if (at < end && csv->bytes[at] == '"') {
            size_t next;
            field = unquote(csv, at, end, &next);
            if (next < end && !separates(csv, csv->bytes[next]))
                return refuse(csv, CJ_BAD_FILE, csv->line, "there is text after a closing quote");
            at = next;
        } else {
            while (at < end && !separates(csv, csv->bytes[at]))
                at++;
            field.length = (size_t)(csv->bytes + at - field.text);
        }
        const bool last = at >= end;
        field.text[field.length] = '\0';
        // several blanks side by side separate two fields, and those around a line none
        if (csv->separator != ' ' || field.length > 0 || field.quoted)
            CJ_TRY(add_field(csv, field));
        if (last)
            return CJ_OK;
    }
}

cj_status cj__csv_next(cj__csv *csv, bool *more)
{
    size_t end = 0;
    reach found;
    csv->count = 0;
    for (;;) {
        CJ_TRY(find_end(csv, &end, &found));
        if (found == BEYOND) {
            CJ_TRY(fill(csv));
            continue;
        }
        *more = csv->at < csv->end;
        if (!*more)
            return CJ_OK;
        csv->line = csv->next_line;
        const bool pair =
            end + 1 < csv->end && csv->bytes[end] == '\r' && csv->bytes[end + 1] == '\n';
        const bool empty = end == csv->at;
        csv->count = 0;
        if (!empty)
            CJ_TRY(cut(csv, end));
        csv->next_line++;
        csv->at = end < csv->end ? end + 1 + pair : csv->end;
        if (csv->count > 0)
            return CJ_OK;
    }
}
