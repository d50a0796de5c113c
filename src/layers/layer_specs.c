// Layers from specs: cajal/layer_specs.h. The arguments are set from the text and go through the
// constructor that all layers have.
#include "base/field_text.h"
#include "base/memory.h"
#include "layers/custom.h"
#include "layers/kind.h"
#include <cajal/layer_specs.h>
#include <stdio.h>
#include <string.h>

enum { NAME_LENGTH = 127, MOST_KINDS = 512, MOST_BYTES = 4096 };

// The kind of that name, "conv2d" or "Conv2D"; NULL after a failure.
static const cj__layer_kind *kind_of(const char *name)
{
    const char *names[MOST_KINDS];
    int count = 0;
    for (; cj__layer_kinds[count] && count < MOST_KINDS; count++) {
        names[count] = cj__layer_kinds[count]->choice.name;
        if (strcmp(names[count], name) == 0 ||
            strcmp(cj__layer_kinds[count]->choice.class_name, name) == 0)
            return cj__layer_kinds[count];
    }
    const cj__layer_kind *registered = cj__custom_kind_find(name);
    if (!registered)
        (void)cj__fail_unknown(CJ_INVALID_ARGUMENT, "layer", name, names, sizeof *names, count);
    return registered;
}

// The word before the parenthesis, without blanks around it.
static const cj__layer_kind *kind_of_spec(const char *spec)
{
    static const char blanks[] = " \t\n";
    char name[NAME_LENGTH + 1];
    const char *begin = spec + strspn(spec, blanks);
    size_t length = strcspn(begin, "(");
    while (length > 0 && strchr(blanks, begin[length - 1]))
        length--;
    if (length == 0 || length > NAME_LENGTH) {
        (void)cj__fail(CJ_INVALID_ARGUMENT, "\"%.100s\" does not begin with the name of a layer",
                       spec);
        return NULL;
    }
    snprintf(name, sizeof name, "%.*s", (int)length, begin);
    return kind_of(name);
}

cj_layer *cj_layer_from_spec(const char *spec)
{
    _Alignas(16) unsigned char args[MOST_BYTES];
    void *copy = NULL;
    cj_layer *layer = NULL;
    if (!spec)
        (void)cj__fail_null("cj_layer_from_spec: the spec");
    const cj__layer_kind *kind = spec ? kind_of_spec(spec) : NULL;
    if (!kind)
        return cj__build_failed(CJ__MADE_LAYER);
    if (kind->choice.args_size > sizeof args)
        (void)cj__fail(CJ_UNSUPPORTED, "%s has too many settings for a spec", kind->choice.name);
    else if (cj__spec_args(&kind->choice, spec, args, &copy) == CJ_OK)
        layer = cj__layer_new(kind, args); // reports its own failure to builders
    else
        layer = cj__build_failed(CJ__MADE_LAYER);
    cj__free(copy);
    return layer;
}
