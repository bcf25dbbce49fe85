"""The OpenADR 3.1 VTN's HTTP door: routes, shapes and problems as its specification has them."""
