// Notes on a model: texts by name that are saved with it.
#include "base/memory.h"
#include "base/text.h"
#include "layers/model.h"
#include <string.h>

static cj__note *find(const cj_model *model, const char *name)
{
    for (int i = 0; i < model->note_count; i++)
        if (strcmp(model->notes[i].name, name) == 0)
            return &model->notes[i];
    return NULL;
}

static void drop(cj_model *model, cj__note *note)
{
    cj__free(note->name);
    cj__free(note->text);
    const size_t behind = (size_t)(&model->notes[--model->note_count] - note);
    memmove(note, note + 1, behind * sizeof *note);
}

static cj_status add(cj_model *model, const char *name, const char *text)
{
    if (!cj__reserve((void **)&model->notes, &model->note_capacity, (size_t)model->note_count + 1,
                     sizeof *model->notes))
        return CJ_OUT_OF_MEMORY;
    const cj__note note = {cj__copy_text(name), cj__copy_text(text)};
    if (!note.name || !note.text) {
        cj__free(note.name);
        cj__free(note.text);
        return CJ_OUT_OF_MEMORY;
    }
    model->notes[model->note_count++] = note;
    return CJ_OK;
}

static cj_status set(cj_model *model, const char *name, const char *text)
{
    cj__note *note = find(model, name);
    if (!note)
        return *text ? add(model, name, text) : CJ_OK;
    if (!*text) {
        drop(model, note);
        return CJ_OK;
    }
    if (strcmp(note->text, text) == 0) // who holds the text may hold on to it
        return CJ_OK;
    char *copy = cj__copy_text(text);
    if (!copy)
        return CJ_OUT_OF_MEMORY;
    cj__free(note->text);
    note->text = copy;
    return CJ_OK;
}

cj_status cj_model_set_note(cj_model *model, const char *name, const char *text)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_model_set_note: the model");
    if (!name || !text)
        return cj__fail_null(!name ? "cj_model_set_note: the name" : "cj_model_set_note: the text");
    if (!*name)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_model_set_note: the name is empty");
    if (!cj__is_utf8(name, strlen(name)) || !cj__is_utf8(text, strlen(text)))
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_model_set_note: the %s is not UTF-8",
                        cj__is_utf8(name, strlen(name)) ? "text" : "name");
    CJ_TRY(cj__use_to_write(&model->use, "cj_model_set_note"));
    const cj_status status = set(model, name, text);
    cj__use_written(&model->use);
    return status;
}

const char *cj_model_note(const cj_model *model, const char *name)
{
    const cj__note *note = model && name ? find(model, name) : NULL;
    return note ? note->text : NULL;
}

bool cj__model_note_at(const cj_model *model, int index, const char **name, const char **text)
{
    if (index >= model->note_count)
        return false;
    *name = model->notes[index].name;
    *text = model->notes[index].text;
    return true;
}

void cj__model_free_notes(cj_model *model)
{
    while (model->note_count > 0)
        drop(model, &model->notes[model->note_count - 1]);
    cj__free(model->notes);
}
