#!/usr/bin/env bash
# Installs what the WebGPU tests need on a machine without a graphics card: the Vulkan loader, and SwiftShader, a Vulkan
# driver that runs on the CPU. Debian ships SwiftShader in its chromium package, which is also the browser of the studio's
# tests. Does nothing where all of it is there.
set -euo pipefail

driver=/usr/lib/chromium/vk_swiftshader_icd.json

has_loader() { ldconfig -p | grep -q 'libvulkan\.so\.1 '; }

if [ -f "$driver" ] && has_loader && [ -x /usr/bin/chromium ]; then
  echo "SwiftShader, the Vulkan loader and chromium are there."
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "No apt-get here: install a Vulkan loader and a driver by hand, see docs/devices.md." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Run as root: sudo $0" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium libvulkan1 >/dev/null
if [ ! -f "$driver" ]; then
  echo "The chromium package of this distribution brings no $driver." >&2
  exit 1
fi
echo "Installed: VK_ICD_FILENAMES=$driver"
