from __future__ import annotations

from trm_engine.hardware.cgroup import MemoryLimit, find_control_groups
from trm_engine.hardware.memory import read_memory

GB = 10**9
V2_MOUNT = "29 23 0:26 {root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
V1_MOUNTS = (
    "35 31 0:32 {root} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
)
V1_UNLIMITED = "9223372036854771712\n"


def v2(group: str, files: dict[str, dict[str, str]], root: str = "/") -> dict[str, str]:
    """Files of a machine with version 2, where this process is in `group`."""
    tree = {"/proc/self/cgroup": f"0::{group}\n", "/proc/self/mountinfo": V2_MOUNT.format(root=root)}
    for folder, contents in files.items():
        for name, text in contents.items():
            tree[f"/sys/fs/cgroup{folder}/{name}"] = text
    return tree


def test_v2_container_sees_its_own_group_at_the_mount_point(make_system) -> None:
    files = v2(
        "/", {"": {"memory.max": f"{2 * GB}\n", "memory.current": f"{GB}\n", "cpu.max": "150000 100000\n"}}
    )
    groups = find_control_groups(make_system(files))
    assert groups.memory() == MemoryLimit(2 * GB, GB)
    assert groups.cpu_quota() == 1.5


def test_v2_the_tightest_level_wins_wherever_it_is(make_system) -> None:
    files = v2(
        "/user.slice/batch/job",
        {
            "/user.slice": {"memory.max": f"{3 * GB}\n", "memory.current": f"{GB}\n"},
            "/user.slice/batch": {
                "memory.max": f"{5 * GB}\n",
                "memory.current": f"{4 * GB}\n",
                "cpu.max": "max 100000\n",
            },
            "/user.slice/batch/job": {"memory.max": "max\n", "cpu.max": "400000 100000\n"},
        },
    )
    groups = find_control_groups(make_system(files))
    assert groups.memory() == MemoryLimit(limit_bytes=3 * GB, headroom_bytes=GB)
    assert groups.cpu_quota() == 4.0


def test_v2_memory_high_is_a_limit_too(make_system) -> None:
    files = v2("/a", {"/a": {"memory.max": "max", "memory.high": f"{GB}", "memory.current": "0"}})
    assert find_control_groups(make_system(files)).memory() == MemoryLimit(GB, GB)


def test_file_pages_that_the_kernel_can_drop_are_headroom(make_system) -> None:
    stat = f"anon 1\ninactive_file {GB // 2}\nactive_file 7\n"
    group = {"memory.max": f"{2 * GB}", "memory.current": f"{2 * GB}", "memory.stat": stat}
    assert find_control_groups(make_system(v2("/a", {"/a": group}))).memory().headroom_bytes == GB // 2


def test_a_full_group_leaves_nothing_rather_than_less(make_system) -> None:
    files = v2("/a", {"/a": {"memory.max": "1000", "memory.current": "5000"}})
    assert find_control_groups(make_system(files)).memory() == MemoryLimit(1000, 0)


def test_a_path_outside_the_namespace_means_the_mount_point(make_system) -> None:
    files = v2("/../../host/group", {"": {"memory.max": "7000", "memory.current": "0"}})
    assert find_control_groups(make_system(files)).memory().limit_bytes == 7000


def test_v1_docker_with_the_hosts_path(make_system) -> None:
    files = {
        "/proc/self/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
        "/proc/self/mountinfo": V1_MOUNTS.format(root="/docker/abc"),
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GB}\n",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GB // 2}\n",
        "/sys/fs/cgroup/memory/memory.stat": "cache 5\ntotal_inactive_file 100000000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    }
    groups = find_control_groups(make_system(files))
    assert groups.memory() == MemoryLimit(GB, GB // 2 + 100_000_000)
    assert groups.cpu_quota() == 2.0


def test_v1_limit_on_an_outer_group(make_system) -> None:
    folder = "/sys/fs/cgroup/memory"
    files = {
        "/proc/self/cgroup": "5:memory:/batch/job\n",
        "/proc/self/mountinfo": V1_MOUNTS.format(root="/"),
        f"{folder}/memory.limit_in_bytes": V1_UNLIMITED,
        f"{folder}/batch/memory.limit_in_bytes": f"{3 * GB}\n",
        f"{folder}/batch/memory.usage_in_bytes": f"{GB}\n",
        f"{folder}/batch/job/memory.limit_in_bytes": V1_UNLIMITED,
    }
    assert find_control_groups(make_system(files)).memory() == MemoryLimit(3 * GB, 2 * GB)


def test_v1_without_limits_is_no_limit(make_system) -> None:
    files = {
        "/proc/self/cgroup": "5:memory:/\n4:cpu,cpuacct:/\n",
        "/proc/self/mountinfo": V1_MOUNTS.format(root="/"),
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": V1_UNLIMITED,
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    }
    groups = find_control_groups(make_system(files))
    assert groups.memory() == MemoryLimit()
    assert groups.cpu_quota() is None


def test_a_system_with_both_versions_obeys_both(make_system) -> None:
    files = {
        "/proc/self/cgroup": "5:memory:/job\n0::/job\n",
        "/proc/self/mountinfo": V1_MOUNTS.format(root="/")
        + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": "5000",
        "/sys/fs/cgroup/unified/job/cpu.max": "100000 100000",
    }
    groups = find_control_groups(make_system(files))
    assert (groups.memory().limit_bytes, groups.cpu_quota()) == (5000, 1.0)


def test_nothing_is_looked_for_outside_linux(make_system) -> None:
    files = v2("/", {"": {"memory.max": "5000"}})
    assert find_control_groups(make_system(files, platform="darwin")).memory() == MemoryLimit()


def test_effective_memory_is_the_lesser_of_machine_and_group(make_system) -> None:
    files = v2("/", {"": {"memory.max": f"{2 * GB}", "memory.current": f"{GB}"}})
    files["/proc/meminfo"] = (
        "MemTotal: 8000000 kB\nMemAvailable: 500000 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n"
    )
    system = make_system(files)
    memory = read_memory(system, find_control_groups(system))
    assert memory.effective_total_bytes == 2 * GB
    assert memory.effective_available_bytes == 512_000_000
    assert (memory.swap_total_bytes, memory.swap_used_bytes) == (102_400, 61_440)


def test_readings_follow_the_files(make_system, tmp_path) -> None:
    groups = find_control_groups(make_system(v2("/", {"": {"memory.max": "9000", "memory.current": "1000"}})))
    before = groups.memory().headroom_bytes
    (tmp_path / "sys/fs/cgroup/memory.current").write_text("8000\n")
    assert (before, groups.memory().headroom_bytes) == (8000, 1000)
