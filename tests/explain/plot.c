// What cj_model_plot() draws: a box for each application of a layer, a line for each input, rows
// from top to bottom, nothing over anything else, and XML that can be read.
#define _POSIX_C_SOURCE 200809L
#include "explain/plot_layout.h"
#include "support.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>

static char *plot(cj_model *model, cj_plot_args args, cj_status *status)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    *status = cj_model_plot_with(model, stream, &args);
    fclose(stream);
    return text;
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

// Two branches over one input, one with a model inside.
static cj_model *branches(void)
{
    cj_model *inner =
        cj_sequential(cj_input(8), cj_dense(4, .name = "first"), cj_dense(4, .name = "second"));
    cj_symbol *x = cj_input_symbol(8);
    cj_symbol *a = cj_apply(cj_model_layer(inner), x);
    cj_symbol *b = cj_apply(cj_dense(4, .name = "<a & b>"), x);
    cj_symbol *y = cj_merge(cj_add(), a, b);
    return cj_functional(.inputs = {x}, .outputs = {y});
}

static void a_box_for_each_layer_and_a_line_for_each_input(void **state)
{
    (void)state;
    cj_status status;
    cj_model *model = branches();
    char *text = plot(model, (cj_plot_args){CJ_PLOT_DEFAULTS}, &status);
    assert_int_equal(status, CJ_OK);
    assert_int_equal(count_of(text, "<rect x="), 4);
    assert_int_equal(count_of(text, "marker-end"), 4);
    assert_non_null(strstr(text, "&lt;a &amp; b&gt; (Dense)"));
    assert_non_null(strstr(text, "(None, 4) · 36 parameters"));
    assert_non_null(strstr(text, "(Sequential)"));
    free(text);
    cj_release(model);
}

static void nested_models_are_drawn_in_their_place(void **state)
{
    (void)state;
    cj_status status;
    cj_model *model = branches();
    char *text = plot(model, (cj_plot_args){CJ_PLOT_DEFAULTS, .expand_nested = true}, &status);
    assert_int_equal(status, CJ_OK);
    assert_int_equal(count_of(text, "<rect x="), 5);
    assert_int_equal(count_of(text, "marker-end"), 5);
    assert_non_null(strstr(text, "/second (Dense)"));
    free(text);
    cj_release(model);
}

static void unbuilt_models_and_nulls_are_refused(void **state)
{
    (void)state;
    cj_status status;
    cj_model *model = cj_sequential(cj_dense(2));
    char *text = plot(model, (cj_plot_args){CJ_PLOT_DEFAULTS}, &status);
    assert_int_equal(status, CJ_NOT_BUILT);
    assert_int_equal(cj_model_plot(NULL, stdout), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_model_plot(model, NULL), CJ_INVALID_ARGUMENT);
    free(text);
    cj_release(model);
}

// Boxes of a row keep their distance, lines go down, and bends are in the rows between.
static void assert_laid_out(const cj__layout *l)
{
    for (int i = 0; i < l->line_count; i++) {
        const cj__line *line = &l->lines[i];
        const int top = l->vertices[line->from].row, bottom = l->vertices[line->to].row;
        assert_true(top < bottom);
        assert_int_equal(line->bend_count, bottom - top - 1);
        for (int b = 0; b < line->bend_count; b++)
            assert_int_equal(l->vertices[line->first_bend + b].row, top + 1 + b);
    }
    for (int i = 0; i < l->vertex_count; i++) {
        const cj__vertex *a = &l->vertices[i];
        assert_in_range(a->row, 0, l->row_count - 1);
        assert_true(a->x - a->width / 2 >= -1 && a->x + a->width / 2 <= l->width + 1);
        for (int j = 0; j < i; j++) {
            const cj__vertex *b = &l->vertices[j];
            if (a->row == b->row)
                assert_true(abs(a->x - b->x) >= (a->width + b->width) / 2 + CJ__PLOT_GAP - 2);
        }
    }
}

static void random_graphs_are_laid_out(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 60; round++) {
        cj__layout l = {0};
        const int boxes = 1 + round;
        for (int i = 0; i < boxes; i++) {
            seed = seed * 1664525u + 1013904223u;
            assert_int_equal(cj__layout_add_box(&l, 100 + (int)(seed >> 25)), CJ_OK);
        }
        for (int i = 1; i < boxes; i++) {
            for (int k = 0; k < 1 + i % 3; k++) {
                seed = seed * 1664525u + 1013904223u;
                assert_int_equal(cj__layout_add_line(&l, (int)(seed >> 8) % i, i), CJ_OK);
            }
        }
        assert_int_equal(cj__layout_place(&l), CJ_OK);
        assert_laid_out(&l);
        cj__layout_free(&l);
    }
}

// A chain of boxes with shortcuts, as in a residual network, is one column.
static void a_chain_with_shortcuts_is_straight(void **state)
{
    (void)state;
    cj__layout l = {0};
    for (int i = 0; i < 50; i++) {
        assert_int_equal(cj__layout_add_box(&l, 100 + 30 * (i % 3)), CJ_OK);
        if (i > 0)
            assert_int_equal(cj__layout_add_line(&l, i - 1, i), CJ_OK);
        if (i > 4 && i % 5 == 0)
            assert_int_equal(cj__layout_add_line(&l, i - 4, i), CJ_OK);
    }
    assert_int_equal(cj__layout_place(&l), CJ_OK);
    for (int i = 1; i < 50; i++)
        assert_int_equal(l.vertices[i].x, l.vertices[0].x);
    cj__layout_free(&l);
}

static cj_status plot_branches(void *context)
{
    (void)context;
    FILE *stream = fopen("/dev/null", "w");
    cj_model *model = branches();
    cj_status status =
        model ? cj_model_plot(model, stream, .expand_nested = true) : cj_error_status();
    fclose(stream);
    cj_release(model);
    return status;
}

static void failed_allocations_leak_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(plot_branches, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_for_each_layer_and_a_line_for_each_input),
        cmocka_unit_test(nested_models_are_drawn_in_their_place),
        cmocka_unit_test(unbuilt_models_and_nulls_are_refused),
        cmocka_unit_test(random_graphs_are_laid_out),
        cmocka_unit_test(a_chain_with_shortcuts_is_straight),
        cmocka_unit_test(failed_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
