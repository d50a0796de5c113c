// Models of language: they say of each place of a text what comes next. Texts are read as bytes, so
// that there are 256 tokens.
#ifndef CLI_LANGUAGE_H
#define CLI_LANGUAGE_H

#include "cli.h"

// Whether a name is that of an architecture of language, or a model is one: its first input is whole
// numbers (batch, tokens), its output is a row of scores for each of them.
bool is_language_name(const char *name);
bool is_language_model(cj_model *model);

// "text:FILE" as one long text: windows of `window` bytes (0: as the model has them, or 128) with the
// byte that follows each; nine tenths of the text, and the last tenth. An input of places goes with the
// tokens where the model, which may be NULL, has no other number of inputs.
cj_status load_next_bytes(const char *name, cj_model *model, int64_t window, cj_dataset **train,
                          cj_dataset **test);

// How a text is written on.
typedef struct writing {
    int64_t count, top_k, seed; // bytes; the likeliest that count, 0: all
    double temperature, top_p;
    const char *prompt; // NULL: a line begins
    bool json;
} writing;
#define WRITING_DEFAULTS .temperature = 1, .top_p = 1

// Writes on standard output what a model makes of a prompt, byte by byte.
cj_status write_on(cj_model *model, const writing *w);

#endif
