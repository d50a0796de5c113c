// Data sets for the commands.
#include "arrays.h"
#include "language.h"
#include "table.h"

#include <string.h>

// What is wrong with a name that says a kind of data, "folder:PATH".
static cj_status check_kind(const char *name)
{
    static const struct {
        const char *kind, *form;
    } kinds[] = {{"folder", "folder:PATH"},  {"text", "text:FILE"},
                 {"csv", "csv:FILE:TARGET"}, {"npy", "npy:X.npy,y.npy"},
                 {"wav", "wav:FOLDER"},      {"series", "series:FILE.csv:COLUMN"}};
    enum { COUNT = sizeof kinds / sizeof *kinds };
    char kind[64];
    const char *colon = strchr(name, ':');
    if (!colon || colon - name >= (ptrdiff_t)sizeof kind)
        return CJ_OK;
    snprintf(kind, sizeof kind, "%.*s", (int)(colon - name), name);
    for (int i = 0; i < COUNT; i++)
        if (strcmp(kind, kinds[i].kind) == 0)
            return colon[1] ? CJ_OK :
                              cj_fail(CJ_INVALID_ARGUMENT, "--data %s names nothing; it is %s",
                                      name, kinds[i].form);
    const char *nearest = nearest_name(kind, kinds, sizeof *kinds, COUNT);
    if (nearest)
        return cj_fail(CJ_INVALID_ARGUMENT, "--data %s: did you mean \"%s:%s\"?", name, nearest,
                       colon + 1);
    return cj_fail(CJ_INVALID_ARGUMENT,
                   "--data %s: there is no such kind of data, but folder:PATH, text:FILE, "
                   "csv:FILE:TARGET, npy:X.npy,y.npy, wav:FOLDER and series:FILE.csv:COLUMN",
                   name);
}

cj_status load_data(const char **name, const cj_model *model, own_data *own, cj_dataset **train,
                    cj_dataset **test)
{
    if (strcmp(*name, "auto") == 0 && model && noted_data(model))
        *name = noted_data(model);
    CJ_TRY(check_kind(*name));
    static const char *const found_first[] = {"mnist", "fashion-mnist", "digits"};
    own->tokens = own->tokens || is_language_model((cj_model *)(uintptr_t)model);
    if (is_text_data(*name) && own->tokens)
        return load_next_bytes(*name, (cj_model *)(uintptr_t)model, own->window, train, test);
    if (own->tokens)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "a model of language learns from one text: --data text:FILE, not %s", *name);
    if (is_text_data(*name))
        return load_text_data(*name, train, test);
    if (is_folder_data(*name))
        return load_folder_data(*name, model, own, train, test);
    if (is_array_data(*name))
        return load_array_data(*name, model, own, train, test);
    if (is_table_data(*name))
        return load_table_data(*name, model, &own->schema, train, test);
    const bool automatic = strcmp(*name, "auto") == 0;
    cj_status status = CJ_NOT_FOUND;
    for (int i = 0; automatic && i < 3 && status == CJ_NOT_FOUND; i++) {
        cj_error_clear();
        *name = found_first[i];
        status = cj_load_dataset(*name, train, test);
    }
    if (!automatic)
        status = cj_load_dataset(*name, train, test);
    if (status == CJ_NOT_FOUND)
        return cj_fail(status,
                       "%s; `cajal datasets fetch %s` gets it or says how; CAJAL_DATA names the "
                       "folder where it lies",
                       cj_error(), *name);
    return status;
}

cj_status limit_samples(cj_dataset **data, int64_t limit)
{
    cj_dataset *slice = NULL;
    if (limit == 0 || limit >= cj_dataset_count(*data))
        return CJ_OK;
    CJ_TRY(cj_dataset_slice(*data, 0, limit, &slice));
    cj_release(*data);
    *data = slice;
    return CJ_OK;
}
