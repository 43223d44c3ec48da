import { expect, test } from "vitest";
import { isPublicAddress } from "./public-address.ts";

test.each([
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "192.0.2.1",
  "198.51.100.1",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "168.63.129.16",
])("the IPv4 address %s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:8.8.8.8",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::8.8.8.8",
  "64:ff9b:1::1",
  "100::1",
  "fe80::1",
  "fe80::1%eth0",
  "2606:4700::1111%1",
  "fc00::1",
  "fdaa:0:1::3",
  "fdff::1",
  "fec0::1",
  "ff02::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "4000::1",
])("the IPv6 address %s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  "168.63.129.15",
  "168.63.129.17",
  "8.8.8.8",
  "1.1.1.1",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.0.1",
  "172.32.0.1",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2001:4860:4860::8888",
  "2a09:8280:1::1",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each(["", "localhost", "1.2.3", "0x7f.1", "::g", "1.2.3.4.5"])(
  "%j is not an address, so it is not public",
  (text) => {
    expect(isPublicAddress(text)).toBe(false);
  },
);
