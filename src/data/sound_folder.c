// A folder of WAV files as data sets, whose sounds are read when they are needed.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "data/files.h"
#include "data/source.h"
#include "data/wav.h"
#include <string.h>

CJ__DEFAULTS(load_sound_folder, LOAD_SOUND_FOLDER)

static const char who[] = "cj_load_sound_folder";

typedef struct sounds {
    cj__source source;
    cj__files files;
    cj__sound_wanted wanted;
    cj__label_mode mode;
    int channels; // of each sound
} sounds;

// Opens a file and sees that it has the channels that it had. Its length is made what is wanted.
static cj_status open_sound(const sounds *s, int64_t index, cj__wav *wav)
{
    const char *path = s->files.paths.items[index];
    CJ_TRY(cj__wav_open(path, wav));
    const int channels = s->wanted.mono ? 1 : wav->channels;
    if (channels == s->channels)
        return CJ_OK;
    cj__wav_close(wav);
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: %d channels, the first file has %d", path, channels,
                    s->channels);
}

static cj_status read_sound(const cj__source *source, int64_t index, uint64_t pass,
                            void *const *places)
{
    const sounds *s = (const sounds *)source;
    cj__wav wav;
    (void)pass;
    CJ_TRY(open_sound(s, index, &wav));
    const cj_status status = cj__sound_read(&wav, &s->wanted, places[0]);
    cj__wav_close(&wav);
    cj__label_write(s->mode, s->files.classes.count, s->files.labels[index], places[1]);
    return status;
}

static void free_sounds(cj__source *source)
{
    sounds *s = (sounds *)source;
    cj__files_free(&s->files);
    cj__free(s);
}

// Looks at the headers of all files: their channels and, where no length is asked for, their lengths.
static cj_status look_at_all(const cj__files *files, cj__sound_wanted *wanted, int *channels)
{
    const cj__sound_wanted asked = *wanted;
    for (int64_t i = 0; i < files->paths.count; i++) {
        cj__wav wav;
        CJ_TRY(cj__wav_open(files->paths.items[i], &wav));
        const int64_t frames = cj__sound_frames(&wav, &asked);
        const int found = wanted->mono ? 1 : wav.channels;
        cj__wav_close(&wav);
        if (i == 0) {
            wanted->length = frames;
            *channels = found;
        }
        if (frames < 1)
            return cj__fail(CJ_BAD_FILE, "%s: the sound has no samples", files->paths.items[i]);
        if (frames != wanted->length)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: %lld samples, %s has %lld; output_sequence_length gives all the "
                            "same",
                            files->paths.items[i], (long long)frames, files->paths.items[0],
                            (long long)wanted->length);
        if (found != *channels)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: %d channels, %s has %d; mono makes one of them",
                            files->paths.items[i], found, files->paths.items[0], *channels);
    }
    return CJ_OK;
}

static cj_status make_set(const cj__files *files, int64_t begin, int64_t count, const sounds *like,
                          cj_dataset **data)
{
    sounds *s = cj__new(1, sizeof *s);
    if (!s)
        return CJ_OUT_OF_MEMORY;
    *s = *like;
    s->source.read = read_sound;
    s->source.free = free_sounds;
    const cj_status status = cj__files_part(files, begin, count, &s->files);
    if (status != CJ_OK) {
        free_sounds(&s->source);
        return status;
    }
    const cj__type x = {CJ_F32, {2, {s->wanted.length, s->channels}}};
    cj__type y;
    cj__label_type(s->mode, files->classes.count, &y.dtype, &y.shape);
    const cj__parts parts = {.x_count = 1, .y_count = 1, .x = &x, .y = &y};
    *data = cj__stream_new(&s->source, &parts, count);
    return *data ?
               cj__dataset_name_classes(*data, files->classes.items, (int)files->classes.count) :
               cj_error_status();
}

static cj_status check(const cj_load_sound_folder_args *a, cj_dataset **validation)
{
    if (a->sample_rate < 0 || a->sample_rate > CJ__RATE_MAX || a->output_sequence_length < 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: sample_rate %lld and output_sequence_length %lld, needed are 0 to %d "
                        "and 0 or more",
                        who, (long long)a->sample_rate, (long long)a->output_sequence_length,
                        CJ__RATE_MAX);
    if (!(a->validation_split >= 0 && a->validation_split < 1))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: validation_split %g, it needs 0 to below 1", who,
                        a->validation_split);
    if (a->validation_split > 0 && !validation)
        return cj__fail_null("cj_load_sound_folder: the place for the validation data");
    return CJ_OK;
}

static cj_status load(const char *folder, const cj_load_sound_folder_args *a, cj__files *files,
                      cj_dataset **train, cj_dataset **validation)
{
    static const char *const endings[] = {".wav", NULL};
    const bool list = a->class_names_list;
    const cj__files_wanted wanted = {"WAV files", endings,
                                     list ? a->class_names_list : a->class_names,
                                     list ? a->class_names_count : CJ_IN_BRACES, NULL};
    sounds like = {.wanted = {a->sample_rate, a->output_sequence_length, a->mono}};
    CJ_TRY(cj__label_mode_find(a->label_mode, who, &like.mode));
    CJ_TRY(cj__files_find(folder, &wanted, files));
    const int64_t count = files->paths.count,
                  held_out = (int64_t)(a->validation_split * (double)count);
    if (like.mode == CJ__LABEL_BINARY && files->classes.count != 2)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: label_mode \"binary\" needs two classes, %s has %lld", who, folder,
                        (long long)files->classes.count);
    if (a->validation_split > 0 && held_out == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: validation_split %g of %lld sounds is none", who,
                        a->validation_split, (long long)count);
    CJ_TRY(look_at_all(files, &like.wanted, &like.channels));
    if (a->shuffle)
        CJ_TRY(cj__files_shuffle(files, a->seed));
    CJ_TRY(make_set(files, 0, count - held_out, &like, train));
    return held_out > 0 ? make_set(files, count - held_out, held_out, &like, validation) : CJ_OK;
}

cj_status cj_load_sound_folder_with(const char *folder, cj_dataset **train, cj_dataset **validation,
                                    const cj_load_sound_folder_args *args)
{
    cj_load_sound_folder_args given;
    cj__files files = {0};
    if (!folder || !train)
        return cj__fail_null(folder ? "cj_load_sound_folder: the place for the data set" :
                                      "cj_load_sound_folder: the folder");
    *train = NULL;
    if (validation)
        *validation = NULL;
    CJ_TRY(cj__args_read(who, args, &load_sound_folder_defaults, sizeof given, &given));
    cj_status status = check(&given, validation);
    if (status == CJ_OK)
        status = load(folder, &given, &files, train, validation);
    cj__files_free(&files);
    if (status != CJ_OK) {
        cj_release(*train);
        *train = NULL;
        if (validation) {
            cj_release(*validation);
            *validation = NULL;
        }
    }
    return status;
}
