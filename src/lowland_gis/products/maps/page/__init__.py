"""The map as one page (一图一页) that opens in a browser from a folder, without a network."""
