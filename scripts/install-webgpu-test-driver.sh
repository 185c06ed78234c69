#!/usr/bin/env bash
# Installs what the WebGPU tests need on a machine without a graphics card: the Vulkan loader, and SwiftShader, a Vulkan
# driver that runs on the CPU. Debian ships SwiftShader in its chromium package. Does nothing where both are there.
set -euo pipefail

driver=/usr/lib/chromium/vk_swiftshader_icd.json

has_loader() { ldconfig -p | grep -q 'libvulkan\.so\.1 '; }

if [ -f "$driver" ] && has_loader; then
  echo "SwiftShader and the Vulkan loader are there."
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
