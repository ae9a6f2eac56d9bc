# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The hook with everything below its own directory of the Nix store. No engine looks there: on NixOS, containers.conf has to name both directories with JSON,
# as docs/install.md says.
{
  pkgs ? import <nixpkgs> { },
}:

pkgs.stdenv.mkDerivation {
  pname = "jail-ai-hook";
  version = "0.1.0";
  src = pkgs.lib.cleanSource ./..;
  nativeBuildInputs = [
    pkgs.meson
    pkgs.ninja
    pkgs.pkg-config
    pkgs.llvmPackages.clang
    pkgs.bpftools
  ];
  buildInputs = [
    pkgs.libbpf
    pkgs.elfutils
    pkgs.zlib
    pkgs.rapidjson
    pkgs.fmt
    pkgs.tomlplusplus
    pkgs.libseccomp
  ];
  # What the wrappers of the compilers add by themselves, clang has not for BPF. meson.build asks for what hardens the binary.
  hardeningDisable = [ "all" ];
  mesonFlags = [
    "-Dtests=false"
    "-Dwerror=false"
    "-Dhooksdir=share/containers/oci/hooks.d"
    "-Dcontainersconfdir=share/jail-ai-hook"
    "-Dsystemdunitdir=lib/systemd/system"
  ];
  meta = {
    description = "OCI hook that denies containers the addresses of the host";
    license = [
      pkgs.lib.licenses.asl20
      pkgs.lib.licenses.mit
    ];
    platforms = pkgs.lib.platforms.linux;
    mainProgram = "jail-ai-hook";
  };
}
