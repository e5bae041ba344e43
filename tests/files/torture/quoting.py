"""CSV whose quotes, delimiters, line ends and shapes are odd."""

from __future__ import annotations

from tests.files.torture.case import case

H = "email,name\n"

QUOTES = [
    case("all cells quoted", '"email","name"\n"pat@example.com","P"\n"new@example.com","N"\n', "WK"),
    case("address quoted alone", H + '"pat@example.com",P\n"new@example.com",N\n', "WK"),
    case("doubled quotes", H + 'pat@example.com,"P ""the"" S"\nnew@example.com,"N ""x"""\n', "WK"),
    case("quote inside a bare cell", H + 'pat@example.com,P "x" S\nnew@example.com,5" disk\n', "WK"),
    case("quote at the end of a bare cell", H + 'pat@example.com,5"\nnew@example.com,6"\n', "WK"),
    case("delimiter in quotes", H + 'pat@example.com,"S, P"\nnew@example.com,"N, O"\n', "WK"),
    case(
        "delimiter in quotes before the address",
        'name,email\n"S, P",pat@example.com\n"N, O",new@example.com\n',
        "WK",
    ),
    case("empty quotes", H + 'pat@example.com,""\nnew@example.com,""\n', "WK"),
    case("quotes around nothing as address", H + '"",P\nnew@example.com,N\n', "KK"),
    case("only quotes in a cell", H + 'pat@example.com,""""\nnew@example.com,""""""\n', "WK"),
    case("text after a closing quote", H + '"pat@example.com"x,P\n"new@example.com"y,N\n', "RK"),
    case("space after a closing quote", H + '"pat@example.com" ,P\n"new@example.com" ,N\n', "WK"),
    case("space before an opening quote", H + ' "pat@example.com",P\n "new@example.com",N\n', "WK"),
    case("single quotes", H + "'pat@example.com','P'\n'new@example.com','N'\n", "WK"),
    case("single quotes with commas inside", H + "'pat@example.com','S, P'\n'new@example.com','N'\n", "WK"),
    case("smart double quotes", H + "“pat@example.com”,P\n“new@example.com”,N\n", "WK"),
    case("smart single quotes", H + "‘pat@example.com’,P\n‘new@example.com’,N\n", "WK"),
    case("angle quotes", H + "«pat@example.com»,P\n«new@example.com»,N\n", "WK"),
    case("backticks", H + "`pat@example.com`,P\nnew@example.com,N\n", "WK"),
    case("backslash before a quote", H + 'pat@example.com,"a \\" b"\nnew@example.com,N\n', "WK"),
    case("address in doubled quotes", H + '"""pat@example.com""",P\nnew@example.com,N\n', "WK"),
    case("quoted local part", H + '"""pat""@example.com",P\nnew@example.com,N\n', "WK"),
    case(
        "unclosed in the last row",
        H + 'new@example.com,N\n"pat@example.com,P\n',
        "!line 3: a quote opens here",
    ),
    case(
        "unclosed in the first row",
        H + '"pat@example.com,P\nnew@example.com,N\n',
        "!line 2: a quote opens here",
    ),
    case("unclosed in the header", 'email,"name\npat@example.com,P\n', "W"),
    case("a lone quote as a row", H + 'pat@example.com,P\n"\n', "!line 3: a quote opens here"),
    case(
        "a lost quote met later",
        H + '"pat@example.com,P\nnew@example.com,"N"\n',
        "!line 2: text stands between",
    ),
    case("line break in a name", H + 'pat@example.com,"P\nS"\nnew@example.com,"N\nO"\n', "WK"),
    case(
        "CRLF in a name", "email,name\r\n" + 'pat@example.com,"P\r\nS"\r\nnew@example.com,"N\r\nO"\r\n', "WK"
    ),
    case("address behind a line break in its cell", H + '"\npat@example.com",P\nnew@example.com,N\n', "WK"),
    case(
        "two addresses on two lines of a cell",
        H + '"new@example.com\npat@example.com",P\nfine@example.org,F\n',
        "WK",
    ),
    case("a row in a row's name", H + 'new@example.com,"N\npat@example.com,P"\nfine@example.org,F\n', "RK"),
    case("blank lines in a quoted cell", H + 'pat@example.com,"\n\n\n"\nnew@example.com,"\n"\n', "WK"),
    case(
        "quoted header with a line break",
        '"e-mail\naddress",name\npat@example.com,P\nnew@example.com,N\n',
        "WK",
    ),
    case(
        "quoted line break in another column",
        'n,email\n"a\nb",pat@example.com\n"a\nb",new@example.com\n',
        "WK",
    ),
]

ENDS = [
    case("line feeds", H + "pat@example.com,P\nnew@example.com,N\n", "WK"),
    case("CRLF", "email,name\r\npat@example.com,P\r\nnew@example.com,N\r\n", "WK"),
    case("carriage returns", "email,name\rpat@example.com,P\rnew@example.com,N\r", "WK"),
    case("mixed ends", "email,name\r\npat@example.com,P\nnew@example.com,N\rfine@example.org,F", "WKK"),
    case("LF CR", "email,name\n\rpat@example.com,P\n\rnew@example.com,N\n\r", "WK"),
    case("CR CR LF", "email,name\r\r\npat@example.com,P\r\r\nnew@example.com,N\r\r\n", "WK"),
    case("no last end", H + "new@example.com,N\npat@example.com,P", "KW"),
    case("many last ends", H + "pat@example.com,P\nnew@example.com,N\n\n\n\n", "WK"),
    case("blank lines between", H + "\npat@example.com,P\n\n\nnew@example.com,N\n", "WK"),
    case("blank lines before the header", "\n\n" + H + "pat@example.com,P\nnew@example.com,N\n", "WK"),
    case("lines of spaces", H + "   \npat@example.com,P\n \t \nnew@example.com,N\n", "WK"),
    case("lines of commas", H + ",\npat@example.com,P\n,\nnew@example.com,N\n", "KWKK"),
    case("a carriage return in a bare name", "email,name\npat@example.com,P\rS\nnew@example.com,N\n", "WRK"),
    case("form feed at the end", H + "pat@example.com,P\nnew@example.com,N\n\f", "WK"),
    case("control-Z at the end", H + "pat@example.com,P\nnew@example.com,N\n\x1a", "WKR"),
    case("vertical tab in a name", H + "pat@example.com,P\x0bS\nnew@example.com,N\x0b\n", "WK"),
    case("line separator U+2028 in a name", H + "pat@example.com,P\u2028S\nnew@example.com,N\u2028\n", "WK"),
    case("next line U+0085 in a name", H + "pat@example.com,P\u0085S\nnew@example.com,N\u0085\n", "WK"),
    case("line separator behind the address", H + "pat@example.com\u2028,P\nnew@example.com,N\n", "WK"),
]

SHAPES = [
    case("no header", "pat@example.com,P\nnew@example.com,N\n", "WK"),
    case("no header, one column", "pat@example.com\nnew@example.com\n", "WK"),
    case("one column", "email\npat@example.com\nnew@example.com\n", "WK"),
    case("one column of one row", "pat@example.com", "W"),
    case("header only", H, ""),
    case("header only, no end", "email,name", ""),
    case("empty", "", "!is empty"),
    case("one line feed", "\n", "!holds no rows"),
    case("only spaces", "  \n  \n", "!holds no rows"),
    case("only commas", ",,,\n,,,\n", "!no column holds addresses"),
    case("no address column", "name,town\nAl,Reno\n", "!no column holds addresses"),
    case("no @ at all", "1,2,3\n4,5,6\n", "!no column holds addresses"),
    case("a title above the table", "Our list\nemail,name\npat@example.com,P\nnew@example.com,N\n", "KWK"),
    case("a short row", "email,name,town\npat@example.com\nnew@example.com\n", "WK"),
    case("an address in a short row's wrong cell", "name,email\npat@example.com\nN,new@example.com\n", "RK"),
    case("a long row", H + "pat@example.com,P,x,y\nnew@example.com,N,x,y\n", "WK"),
    case("a shifted row", "name,email,town\nS,P,pat@example.com,Reno\nN,new@example.com,Elko\n", "RK"),
    case("a shifted row of nobody's", "name,email\nS,P,fine@example.org\nN,new@example.com\n", "RK"),
    case("trailing commas", "email,name,,\npat@example.com,P,,\nnew@example.com,N,,\n", "WK"),
    case("leading comma", ",email\n,pat@example.com\n,new@example.com\n", "WK"),
    case("duplicate headers", "email,email\nnew@example.com,pat@example.com\nnew@example.com,\n", "WK"),
    case(
        "two address columns",
        "email,name,email 2\nnew@example.com,N,pat@example.com\nfine@example.org,F,\n",
        "WK",
    ),
    case(
        "three address columns",
        "home email,work email,other email\n,,pat@example.com\n,new@example.com,\n",
        "WK",
    ),
    case(
        "a column about e-mail", "email status,email\nactive,pat@example.com\nactive,new@example.com\n", "WK"
    ),
    case("a header in capitals", "EMAIL,NAME\npat@example.com,P\nnew@example.com,N\n", "WK"),
    case("a header with spaces", " Email Address ,name\npat@example.com,P\nnew@example.com,N\n", "WK"),
    case("a header in German", "E-Mail-Adresse;Name\npat@example.com;P\nnew@example.com;N\n", "WK"),
    case("a header in French", "Adresse e-mail;Nom\npat@example.com;P\nnew@example.com;N\n", "WK"),
    case("a header in Swedish", "E-post;Namn\npat@example.com;P\nnew@example.com;N\n", "WK"),
    case("an unknown header", "Kontakt;Name\npat@example.com;P\nnew@example.com;N\n", "WK"),
    case(
        "address column last of many",
        "a,b,c,d,e,f,g,email\n" + ",,,,,,,pat@example.com\n,,,,,,,new@example.com\n",
        "WK",
    ),
    case(
        "a thousand columns",
        ",".join(["x"] * 999 + ["email"])
        + "\n"
        + "," * 999
        + "pat@example.com\n"
        + "," * 999
        + "new@example.com\n",
        "WK",
    ),
    case("a header twice", H + "pat@example.com,P\n" + H + "new@example.com,N\n", "WKK"),
    case("comment lines", "# exported\n" + H + "pat@example.com,P\nnew@example.com,N\n", "KWK"),
    case("the same person twice", H + "pat@example.com,P\nPAT@EXAMPLE.COM,P\nnew@example.com,N\n", "WWK"),
    case("column by number", "a,b\nx,pat@example.com\ny,new@example.com\n", "WK", columns=("2",)),
    case("column by name", "a,b\nx,pat@example.com\ny,new@example.com\n", "WK", columns=("B",)),
    case(
        "two columns asked",
        "a,b\npat@example.com,new@example.com\nnew@example.com,x\n",
        "WK",
        columns=("a", "b"),
    ),
    case("a column that is not there", H + "pat@example.com,P\n", "!no column 'fax'", columns=("fax",)),
    case("a column number beyond", H + "pat@example.com,P\n", "!no column '3'", columns=("3",)),
    case("header denied", H + "pat@example.com,P\n", "KW", header=False),
    case("header claimed", "new@example.com,N\npat@example.com,P\n", "W", header=True),
]

DELIMITERS = [
    case("semicolons", "email;name\npat@example.com;P\nnew@example.com;N\n", "WK"),
    case("tabs", "email\tname\npat@example.com\tP\nnew@example.com\tN\n", "WK", ".tsv"),
    case("bars", "email|name\npat@example.com|P\nnew@example.com|N\n", "WK"),
    case("semicolons and decimal commas", "email;sum\npat@example.com;1,50\nnew@example.com;2,75\n", "WK"),
    case(
        "semicolons and lists with commas", "email;tags\npat@example.com;a,b,c\nnew@example.com;d,e,f\n", "WK"
    ),
    case("tabs and commas", "email\tname\npat@example.com\tS, P\nnew@example.com\tO, N\n", "WK", ".tsv"),
    case("sep=;", "sep=;\nemail;name\npat@example.com;P\nnew@example.com;N\n", "WK"),
    case("sep=, with CRLF", "sep=,\r\nemail,name\r\npat@example.com,P\r\nnew@example.com,N\r\n", "WK"),
    case("SEP=|", "SEP=|\nemail|name\npat@example.com|P\nnew@example.com|N\n", "WK"),
    case("sep= and nothing else", "sep=;\n", "!holds no rows"),
    case("a caret, named", "email^name\npat@example.com^P\nnew@example.com^N\n", "WK", delimiter="^"),
    case("a caret, not named", "email^name\npat@example.com^P\nnew@example.com^N\n", "WK"),
    case("a space, named", "email name\npat@example.com P\nnew@example.com N\n", "WK", delimiter=" "),
    case(
        "unit separator, named",
        "email\x1fname\npat@example.com\x1fP\nnew@example.com\x1fN\n",
        "WK",
        delimiter="\x1f",
    ),
    case(
        "the wrong delimiter named", "email;name\npat@example.com;P\nnew@example.com;N\n", "WK", delimiter=","
    ),
    case("a delimiter of two characters", H + "pat@example.com,P\n", "!--delimiter", delimiter="::"),
    case("a letter as delimiter", H + "pat@example.com,P\n", "!--delimiter", delimiter="x"),
    case("a quote as delimiter", H + "pat@example.com,P\n", "!--delimiter", delimiter='"'),
    case("a dot as delimiter", H + "pat@example.com,P\n", "!--delimiter", delimiter="."),
    case("fixed width", "email               name\npat@example.com     P\nnew@example.com     N\n", "WK"),
    case("comma and space", "email, name\npat@example.com, P\nnew@example.com, N\n", "WK"),
]
