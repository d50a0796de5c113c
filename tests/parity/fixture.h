// Reads the fixtures that make_fixtures.py wrote: safetensors files of cases, each some tensors and
// some settings. Whatever is wrong with a fixture fails the running test: these are our own files.
#ifndef CJ_TESTS_PARITY_FIXTURE_H
#define CJ_TESTS_PARITY_FIXTURE_H

#include "support.h"
#include <cajal/tensor.h>
#include <jansson.h>

typedef struct fixture {
    json_t *header;       // names to {dtype, shape, data_offsets}
    json_t *cases;        // the list in the metadata
    unsigned char *bytes; // the whole file
    unsigned char *data;  // where the offsets begin
    size_t data_size;
    double rtol, atol;           // the tolerance, of which the metadata gives the reason
    struct fixture_worst *worst; // the greatest error so far
} fixture;

// Where fixtures are read from.
extern const char *fixture_folder;

// Opens fixtures/NAME.safetensors.
fixture *fixture_open(const char *name);
void fixture_close(fixture *file);

// The number of cases, case `index`, and a case's name.
size_t fixture_count(const fixture *file);
const json_t *fixture_case(const fixture *file, size_t index);
const char *fixture_case_name(const json_t *one);

// Settings of a case, "" or 0 or false where there is none.
const char *fixture_text(const json_t *one, const char *key);
double fixture_number(const json_t *one, const char *key);
bool fixture_flag(const json_t *one, const char *key);

// Whether a case has the tensor `part` ("w0"), and a new tensor of it. `case_name` NAME/PART as in
// the file.
bool fixture_has(const fixture *file, const char *case_name, const char *part);
cj_tensor *fixture_tensor(const fixture *file, const char *case_name, const char *part);

// Compares element by element; on a difference prints case, part and the worst element, and returns
// false.
bool fixture_compare(const fixture *file, const char *case_name, const char *part,
                     const cj_tensor *actual);

// The same for one number, against `expected`.
bool fixture_near(const fixture *file, const char *case_name, const char *part, double actual,
                  double expected);

// A part's name with a number: "w" and 3 give "w3". One of eight static buffers, in turn.
const char *fixture_part(const char *stem, int number);

// The case of that name; fails the test if there is none.
const json_t *fixture_find(const fixture *file, const char *case_name);

// Prints the greatest error that was compared in this file, as a share of its tolerance.
void fixture_report(const fixture *file, const char *name);

// Runs `body` on every case, prints each that fails, and fails the test if any did. A body returns
// whether it was right.
void fixture_run(const char *name, bool (*body)(const fixture *file, const json_t *one));

#endif
