// What the machine has, and how it is lowered.
#define _POSIX_C_SOURCE 200809L
#include "base/cpu.h"
#include "support.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void a_known_lower_name_lowers(void **state)
{
    (void)state;
    assert_int_equal(cj__isa_lowered(CJ__ISA_AVX512, "avx2"), CJ__ISA_AVX2);
    assert_int_equal(cj__isa_lowered(CJ__ISA_AVX512, "ref"), CJ__ISA_REF);
    assert_int_equal(cj__isa_lowered(CJ__ISA_AMX, "avx512"), CJ__ISA_AVX512);
    assert_int_equal(cj__isa_lowered(CJ__ISA_AVX512, "amx"), CJ__ISA_AVX512);
    assert_int_equal(cj__isa_lowered(CJ__ISA_BASELINE, "avx512"), CJ__ISA_BASELINE);
    assert_int_equal(cj__isa_lowered(CJ__ISA_AVX2, "sse9"), CJ__ISA_AVX2);
    assert_int_equal(cj__isa_lowered(CJ__ISA_AVX2, NULL), CJ__ISA_AVX2);
    assert_string_equal(cj_isa(), cj__isa_name(cj__cpu_isa()));
}

static void byte_products_need_avx512(void **state)
{
    (void)state;
    assert_true(!cj__cpu_has_vnni() || cj__cpu_isa() >= CJ__ISA_AVX512);
}

static void the_variable_sets_the_count(void **state)
{
    (void)state;
    setenv("CAJAL_NUM_THREADS", "7", 1);
    assert_int_equal(cj__cpu_count(), 7);
    const char *const useless[] = {"", "0", "-2", "two", "3x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        setenv("CAJAL_NUM_THREADS", useless[i], 1);
        assert_int_equal(cj__cpu_count(), cj__cpu_allowed());
    }
    unsetenv("CAJAL_NUM_THREADS");
    assert_true(cj__cpu_allowed() >= 1);
}

static void put(const char *name, const char *text)
{
    support_write(support_path(name), text, strlen(text));
}

static void quotas_of_version_2_count_upwards(void **state)
{
    (void)state;
    mkdir(support_path("v2"), 0700);
    mkdir(support_path("v2/a"), 0700);
    mkdir(support_path("v2/a/b"), 0700);
    put("membership", "0::/a/b\n");
    put("v2/a/b/cpu.max", "max 100000\n");
    assert_int_equal(cj__cgroup_cpus(support_path("membership"), support_path("v2")), 0);
    put("v2/a/cpu.max", "250000 100000\n");
    assert_int_equal(cj__cgroup_cpus(support_path("membership"), support_path("v2")), 3);
    put("v2/a/b/cpu.max", "50000 100000\n");
    assert_int_equal(cj__cgroup_cpus(support_path("membership"), support_path("v2")), 1);
    put("membership", "0::/elsewhere/on/the/host\n");
    put("v2/cpu.max", "400000 100000\n");
    assert_int_equal(cj__cgroup_cpus(support_path("membership"), support_path("v2")), 4);
}

static void quotas_of_version_1_are_read(void **state)
{
    (void)state;
    mkdir(support_path("v1"), 0700);
    mkdir(support_path("v1/cpu"), 0700);
    mkdir(support_path("v1/cpu/x"), 0700);
    put("membership1", "5:memory:/y\n4:cpu,cpuacct:/x\n");
    put("v1/cpu/x/cpu.cfs_quota_us", "-1\n");
    put("v1/cpu/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cj__cgroup_cpus(support_path("membership1"), support_path("v1")), 0);
    put("v1/cpu/x/cpu.cfs_quota_us", "150000\n");
    assert_int_equal(cj__cgroup_cpus(support_path("membership1"), support_path("v1")), 2);
    assert_int_equal(cj__cgroup_cpus(support_path("absent"), support_path("v1")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_lower_name_lowers),
        cmocka_unit_test(byte_products_need_avx512),
        cmocka_unit_test(the_variable_sets_the_count),
        cmocka_unit_test(quotas_of_version_2_count_upwards),
        cmocka_unit_test(quotas_of_version_1_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
