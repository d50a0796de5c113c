// Specs: "sgd(learning_rate=0.1)". What is understood is written, and that is understood alike.
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "layers/layer.h"
#include "train/optimizer.h"
#include <cajal.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_catalog(const cj__catalog *catalog, const char *spec)
{
    cj__chosen first, second;
    if (cj__spec_parse(catalog, spec, "fuzz", &first) != CJ_OK || !first.choice)
        return;
    char *text = cj__spec_text(first.choice, first.args);
    if (!text || cj__spec_parse(catalog, text, "fuzz", &second) != CJ_OK)
        abort();
    char *again = second.choice ? cj__spec_text(second.choice, second.args) : NULL;
    if (!again || strcmp(text, again) != 0)
        abort();
    cj__free(text);
    cj__free(again);
    cj__chosen_free(&first);
    cj__chosen_free(&second);
}

static void try_optimizer(const char *spec)
{
    cj_optimizer *first = cj_optimizer_from_spec(spec);
    if (!first)
        return;
    char *text = cj__optimizer_spec(first);
    cj_optimizer *second = text ? cj_optimizer_from_spec(text) : NULL;
    char *again = second ? cj__optimizer_spec(second) : NULL;
    if (!again || strcmp(text, again) != 0)
        abort();
    cj__free(text);
    cj__free(again);
    cj_release(first);
    cj_release(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const cj__catalog *const catalogs[] = {&cj__activations, &cj__initializers,
                                                  &cj__regularizers};
    char *spec = malloc(size + 1);
    if (!spec)
        return 0;
    if (size)
        memcpy(spec, data, size);
    spec[size] = '\0';
    for (size_t i = 0; i < sizeof catalogs / sizeof catalogs[0]; i++)
        try_catalog(catalogs[i], spec);
    try_optimizer(spec);
    free(spec);
    return 0;
}
