"""Names, streets and places: common names of the peoples of England in plausible order, and streets that are invented.

The order of a list is the order of frequency; `often` turns it into a table to draw from. No list is a register: a
child is put together from independent draws. Nothing here holds a character that CSV, JSON or XML would escape.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final


def often(words: str) -> tuple[str, ...]:
    """A table in which the word of rank k stands about 1/(k + 4) as often; one draw is one look-up."""
    table: list[str] = []
    for rank, word in enumerate(words.split()):
        table.extend([word.replace("_", " ")] * (1 + 120 // (rank + 4)))
    return tuple(table)


@dataclass(frozen=True, slots=True)
class Naming:
    """How one people names its children: tables of girls' and boys' given names and of family names."""

    girls: tuple[str, ...]
    boys: tuple[str, ...]
    families: tuple[str, ...]


_ENGLISH: Final = Naming(
    often(
        "Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow Rosie Sophia Isabella Grace Daisy Sienna Poppy"
        " Elsie Emily Ella Evelyn Phoebe Evie Charlotte Harper Millie Matilda Maya Sophie Alice Emilia Isabelle"
        " Ruby Luna Maisie Aria Penelope Mila Bonnie Eva Hallie Eliza Ada Violet Esme Arabella Imogen Jessica"
        " Delilah Chloe Lottie Lola Erin Molly Thea Robyn Zara Lucy Lyla Orla Harriet Nancy Margot Holly Heidi"
        " Amber Georgia Clara Scarlett Beatrice Hannah Elizabeth Summer Lilly Iris Martha Amelie Edith Darcie"
        " Gracie Nora Rose Maeve Zoe Abigail Annabelle Eleanor Jasmine Megan Bella Victoria Katherine Rebecca"
        " Jennifer Samantha Josephine Tilly Hope Faith Ottilie Mabel Myla Skye Connie Winnie Cora Flora Lara Anna"
        " Naomi Rachel Leah Niamh Tabitha Juliet"
    ),
    often(
        "Noah Oliver George Arthur Leo Harry Oscar Archie Henry Theodore Freddie Jack Charlie Theo Alfie Jacob"
        " Thomas Finley Arlo William Lucas Roman Tommy Isaac Teddy Alexander Luca Edward James Joshua Albie Elijah"
        " Max Mohammed Reuben Mason Sebastian Rory Jude Hugo Harrison Daniel Adam Louie Rowan Ethan Reggie Ezra"
        " Logan Samuel Benjamin Joseph Ronnie Louis Jaxon Caleb Toby Hunter Frederick Dylan Zachary Bobby Ralph"
        " Riley David Grayson Stanley Gabriel Ollie Jesse Albert Frankie Felix Michael Elliot Billy Matthew Ruben"
        " Jasper Liam Otis Nathan Rupert Luke Sonny Charles Dexter Robert Christopher Anthony Nicholas Callum"
        " Aaron Ryan Connor Jamie Kit Barnaby Austin Blake Carter Chester Cody Edwin Ellis Evan Harvey Jonah Kai"
        " Lewis Miles Myles Owen Patrick"
    ),
    often(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White"
        " Roberts Green Hall Wood Jackson Clarke Clark Harrison Scott Turner Cooper Hill Ward Moore Morris Harris"
        " King Watson Baker Allen Mitchell Anderson Phillips Lee Bell Parker Davis Bennett Miller Cook Shaw"
        " Richardson Carter Collins Marshall Bailey Gray Cox Adams Wilkinson Foster Chapman Mason Russell Powell"
        " Webb Rogers Hunt Mills Holmes Palmer Matthews Gibson Fisher Barnes Knight Lloyd Butler Price Stevens"
        " Jenkins Dixon Fletcher Pearson Graham Reynolds Simpson Ellis Atkinson Lawrence Payne Hughes Edwards Day"
        " Burton Fox Walsh Saunders Barker Armstrong Booth Hudson Lane Read Reid Stephens Stephenson Stevenson"
        " Rhodes Sharp Cole Dean Page Wells Harvey Pickering Thorpe Nicholson Lambert Bradshaw Heaton Sykes"
        " Whitaker Ackroyd Appleby Ashworth Barraclough Beckett Birch Bramley Brook Brooke Castle Cartwright Clegg"
        " Crabtree Crowther Dawson Denby Dobson Eccles Fairclough Farrow Garside Greenwood Haigh Hargreaves"
        " Hepworth Hirst Holroyd Illingworth Jagger Kershaw Lumb Mawson Naylor Oldroyd Pawson Quarmby Ramsden"
        " Schofield Sutcliffe Tattersall Thornton Uttley Varley Wadsworth Yeadon Peirce Pearce Allan Alan Philips"
        " Shepherd Sheppard Hewitt Hewett Catlin Merrick Penrose Trelawny Tregenza Pascoe"
    ),
)
_IRISH: Final = Naming(
    often(
        "Aoife Saoirse Niamh Ciara Orla Caoimhe Siobhán Róisín Éabha Fiadh Clodagh Sinéad Méabh Áine Gráinne"
        " Eimear Bridget Maeve Kathleen Deirdre Nuala Oonagh Sorcha Aisling Ailbhe"
    ),
    often(
        "Cian Oisín Conor Fionn Darragh Rory Cillian Seán Tadhg Eoin Pádraig Liam Declan Ronan Killian Brendan"
        " Diarmuid Finbar Lorcan Niall Colm Cormac Donnacha Ruairí Senan"
    ),
    often(
        "Murphy Kelly O'Brien Byrne Ryan O'Sullivan O'Connor Walsh McCarthy Doyle Gallagher Kennedy Lynch Murray"
        " Quinn Moran O'Neill O'Reilly Brennan Daly Connolly Fitzgerald Nolan Farrell Kavanagh McGrath Healy"
        " Maguire Duffy Keane Donnelly O'Callaghan O'Donnell Foley Sheehan MacNamara Hennessy Ní_Bhriain"
    ),
)
_POLISH: Final = Naming(
    often(
        "Zofia Zuzanna Hanna Julia Maja Lena Oliwia Alicja Amelia Wiktoria Natalia Antonina Gabriela Nadia Emilia"
        " Maria Pola Aleksandra Kornelia Małgorzata Katarzyna Agnieszka Magdalena Dominika Weronika"
    ),
    often(
        "Antoni Jakub Jan Szymon Aleksander Filip Franciszek Mikołaj Wojciech Adam Michał Kacper Oskar"
        " Maksymilian Kuba Piotr Tomasz Łukasz Mateusz Paweł Krzysztof Dawid Igor Bartosz Stanisław"
    ),
    often(
        "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski"
        " Kozłowski Mazur Jankowski Kwiatkowski Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski Michalski"
        " Król Wieczorek Wróbel Jabłoński Dudek Stępień Adamczyk Pawlak Sikora Walczak Baran Rutkowski Szewczyk"
        " Ostrowski"
    ),
)
_MUSLIM: Final = Naming(
    often(
        "Fatima Aisha Maryam Zainab Khadija Hafsa Amina Ayesha Zara Inaya Noor Safa Sumaya Hana Aaliyah Anaya"
        " Hira Iqra Layla Sana Rabia Sara Mariam Aliza Minahil Eshal Zoya Ruqayyah Yusra Asma Nusrat Farzana"
        " Tahmina Sadia Anisa Humaira Samira Bushra Halima Zahra"
    ),
    often(
        "Muhammad Mohammed Mohammad Ibrahim Yusuf Ali Ahmed Hamza Adam Omar Abdullah Musa Zayn Hassan Yahya Isa"
        " Bilal Ismail Umar Haris Ayaan Zakariya Hussain Idris Rayyan Khalid Tariq Imran Faisal Junaid Usman Saad"
        " Taha Zubair Ilyas Sulaiman Haroon Dawud Eesa Mustafa"
    ),
    often(
        "Khan Ahmed Ali Hussain Begum Malik Iqbal Shah Mahmood Akhtar Rahman Islam Miah Uddin Chowdhury Hussein"
        " Mirza Sheikh Qureshi Siddiqui Butt Aslam Rashid Aziz Mohammed Bibi Javed Nawaz Raja Zaman Hoque Alam"
        " Sultana Yousaf Bashir Hassan Saleem Khatun Ashraf Abbasi Kazi Choudhury"
    ),
)
_INDIAN: Final = Naming(
    often(
        "Aanya Diya Priya Anika Saanvi Meera Aarya Kavya Isha Riya Simran Jasleen Kiran Amrit Nisha Pooja Anjali"
        " Tara Asha Divya Harleen Manpreet Gurleen Avneet Sreya Lakshmi Nithya Tharani Abinaya Keerthana"
    ),
    often(
        "Aarav Arjun Rohan Vihaan Krish Dev Aryan Kabir Nikhil Rahul Vivaan Ishaan Jai Karan Harjit Gurpreet"
        " Arjan Jasdeep Manveer Sahib Fateh Veer Rishi Anand Karthik Pranav Thaksan Kavin Nitharsan Ashwin"
    ),
    often(
        "Patel Singh Kaur Shah Sharma Gill Kumar Sandhu Dhillon Mistry Desai Joshi Mehta Chauhan Parmar Sidhu"
        " Grewal Rai Bains Johal Reddy Nair Menon Iyer Rao Gupta Verma Solanki Lad Kapoor Sivakumar Selvarajah"
        " Perera Fernando Thomas Varghese Gurung Thapa"
    ),
)
_AFRICAN: Final = Naming(
    often(
        "Oluwaseun Adaeze Chidinma Temitope Ngozi Folasade Ama Abena Akosua Efua Yaa Adwoa Zainab Blessing"
        " Precious Esther Deborah Ruth Toluwani Ifeoluwa Simisola Morayo Chioma Amarachi Nana Fatoumata Mariama"
        " Isatou Kehinde Taiwo"
    ),
    often(
        "Oluwaseyi Chukwuemeka Ayomide Temiloluwa David Emmanuel Samuel Daniel Kwame Kofi Kwabena Yaw Kojo Emeka"
        " Obinna Tobi Femi Segun Babatunde Ifeanyi Malachi Josiah Joel Elijah Mamadou Lamin Ousmane Taiwo Kehinde"
        " Ebuka"
    ),
    often(
        "Okafor Adeyemi Mensah Osei Owusu Boateng Okeke Adebayo Balogun Ogunleye Asante Appiah Eze Nwosu Okonkwo"
        " Lawal Bello Afolabi Oyelaran Amoah Antwi Sarpong Agyeman Ofori Nkrumah Jalloh Kamara Sesay Conteh"
        " Bangura Diallo Ceesay Touray Ibrahim Abara Onyekachi Akintola"
    ),
)
_EASTERN: Final = Naming(
    often(
        "Maria Sofia Anastasia Ioana Andreea Elena Alexandra Daria Ilinca Viktoriia Oleksandra Kateryna Polina"
        " Yeva Gabija Emilija Austėja Lina Eglė Kristina Teodora Bianca Larisa Nikoleta Petya"
    ),
    often(
        "Andrei Matei David Luca Ștefan Alexandru Mihai Oleksandr Maksym Artem Dmytro Yaroslav Matas Lukas Jonas"
        " Domas Benas Ion Vlad Radu Georgi Nikolay Ivan Bogdan Florin"
    ),
    often(
        "Popescu Ionescu Popa Radu Dumitru Stan Stoica Gheorghe Munteanu Rusu Shevchenko Kovalenko Bondarenko"
        " Tkachenko Kravchenko Kazlauskas Petrauskas Jankauskas Balčiūnas Ivanov Dimitrov Georgiev Petrov Horváth"
        " Kovács Nagy Novák Svoboda Marinescu Dobre"
    ),
)
_CHINESE: Final = Naming(
    often(
        "Mei Xinyi Yutong Jia Ying Chloe Jasmine Zihan Wing Hoi Lok Yan Sze Emily Yuki Alice Sophie Claire"
    ),
    often("Wei Haoran Yichen Jun Ming Ho Chun Lok Jayden Ethan Lucas Zihao Tsz Kai Aaron Marcus Hei Yat"),
    often(
        "Wong Chan Chen Li Wang Zhang Liu Lee Cheung Lam Ng Yang Huang Wu Lau Leung Ho Lin Zhao Chow Tang Xu"
        " Tsang"
    ),
)
_ARABIC: Final = Naming(
    often(
        "Maryam Fatima Amina Hodan Ayaan Sahra Hibaq Nasra Ikran Layan Nour Lina Jana Salma Yasmin Rania Huda"
        " Leyla Shukri Deqa Elif Zeynep Defne Shirin"
    ),
    often(
        "Mohamed Abdi Ahmed Abdirahman Yusuf Ibrahim Hamza Omar Khalid Mustafe Liban Zakaria Yousef Karim Tarek"
        " Amir Bashar Samir Mehmet Emir Kerem Rezan Abdullahi Ismail"
    ),
    often(
        "Mohamed Ali Hassan Abdi Ahmed Ibrahim Osman Yusuf Hussein Omar Warsame Farah Jama Aden Nur Haji Mahmoud"
        " Saleh Al-Hassan Al-Rashid Haddad Khalil Nasser Mansour Yilmaz Demir Kaya Sherwani"
    ),
)

PEOPLES: Final[tuple[tuple[Naming, float], ...]] = (
    (_ENGLISH, 0.685),
    (_IRISH, 0.025),
    (_POLISH, 0.03),
    (_MUSLIM, 0.105),
    (_INDIAN, 0.05),
    (_AFRICAN, 0.045),
    (_EASTERN, 0.025),
    (_CHINESE, 0.01),
    (_ARABIC, 0.025),
)
"""Who names children how, and for which share of families. Loosely the 2021 census of England; our own choice."""

NICKNAMES: Final[dict[str, tuple[str, ...]]] = {
    "Abigail": ("Abi", "Gail"), "Alexander": ("Alex", "Sasha", "Xander"), "Alexandra": ("Alex", "Lexi"),
    "Aleksander": ("Olek",), "Aleksandra": ("Ola",), "Amelia": ("Millie", "Amy"), "Anthony": ("Tony",),
    "Antoni": ("Antek",), "Archie": ("Arch",), "Babatunde": ("Tunde",), "Beatrice": ("Bea", "Bee"),
    "Benjamin": ("Ben", "Benji"), "Charles": ("Charlie",), "Charlotte": ("Lottie", "Charlie"),
    "Christopher": ("Chris", "Kit"), "Chukwuemeka": ("Emeka",), "Daniel": ("Dan", "Danny"), "David": ("Dave",),
    "Edward": ("Ed", "Eddie", "Ted"), "Eleanor": ("Ellie", "Nell"), "Elizabeth": ("Beth", "Lizzie", "Eliza"),
    "Emily": ("Em", "Emmy"), "Florence": ("Flo", "Florrie"), "Folasade": ("Sade",), "Franciszek": ("Franek",),
    "Frederick": ("Fred", "Freddie"), "Gabriel": ("Gabe",), "Harriet": ("Hattie",), "Henry": ("Harry",),
    "Isabella": ("Bella", "Izzy"), "Isabelle": ("Belle", "Izzy"), "Jakub": ("Kuba",), "James": ("Jim", "Jamie"),
    "Jennifer": ("Jen", "Jenny"), "Jessica": ("Jess",), "Joseph": ("Joe", "Joey"), "Josephine": ("Josie",),
    "Joshua": ("Josh",), "Katarzyna": ("Kasia",), "Katherine": ("Kate", "Katie"), "Małgorzata": ("Gosia",),
    "Manpreet": ("Preet",), "Matilda": ("Tilly", "Mattie"), "Matthew": ("Matt",), "Michael": ("Mike", "Mikey"),
    "Millie": ("Mills",), "Nathan": ("Nate",), "Nicholas": ("Nick",), "Oliver": ("Ollie",), "Olivia": ("Liv", "Livvy"),
    "Oluwaseun": ("Seun",), "Oluwaseyi": ("Seyi",), "Patrick": ("Paddy", "Pat"), "Pádraig": ("Paddy",),
    "Penelope": ("Penny",), "Rebecca": ("Becky",), "Robert": ("Rob", "Bobby"), "Samantha": ("Sam",),
    "Samuel": ("Sam", "Sammy"), "Sebastian": ("Seb",), "Simisola": ("Simi",), "Stanisław": ("Staszek",),
    "Temitope": ("Temi", "Tope"), "Theodore": ("Theo", "Teddy"), "Thomas": ("Tom", "Tommy"), "Victoria": ("Vicky",),
    "William": ("Will", "Billy"), "Zachary": ("Zac",), "Zofia": ("Zosia",), "Zuzanna": ("Zuzia",),
}  # fmt: skip
"""Given name → what a child of that name is called."""

TRANSLITERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "Abdullah": ("Abdallah", "Abdulla"), "Ahmed": ("Ahmad",), "Aisha": ("Ayesha", "Aysha"), "Ayesha": ("Aisha",),
    "Aoife": ("Eefa",), "Bilal": ("Belal",), "Caoimhe": ("Keeva",), "Choudhury": ("Chowdhury",),
    "Chowdhury": ("Choudhury",), "Éabha": ("Ava",), "Fatima": ("Fatema", "Fatimah"), "Gráinne": ("Grainne",),
    "Hassan": ("Hasan",), "Hussain": ("Hussein", "Husain"), "Hussein": ("Hussain",), "Ibrahim": ("Ebrahim",),
    "Khadija": ("Khadeeja",), "Łukasz": ("Lukasz",), "Małgorzata": ("Malgorzata",), "Maryam": ("Mariam",),
    "Mariam": ("Maryam",), "Michał": ("Michal",), "Mikołaj": ("Mikolaj",), "Mohamed": ("Mohammed", "Muhammad"),
    "Mohammad": ("Muhammad", "Mohammed"), "Mohammed": ("Muhammad", "Mohamed"), "Muhammad": ("Mohammed", "Mohammad"),
    "Niamh": ("Neve",), "Oisín": ("Oisin",), "Oleksandr": ("Alexander", "Aleksandr"), "Oleksandra": ("Aleksandra",),
    "Paweł": ("Pawel",), "Qureshi": ("Quraishi",), "Rahman": ("Rehman",), "Róisín": ("Roisin",), "Ruairí": ("Rory",),
    "Saoirse": ("Seersha",), "Seán": ("Sean", "Shaun"), "Sheikh": ("Shaikh",), "Siddiqui": ("Siddiqi",),
    "Sinéad": ("Sinead",), "Siobhán": ("Siobhan", "Shevaun"), "Stanisław": ("Stanislaw",), "Ștefan": ("Stefan",),
    "Sulaiman": ("Suleiman",), "Umar": ("Omar",), "Omar": ("Umar",), "Viktoriia": ("Victoria",),
    "Wiśniewski": ("Wisniewski",), "Wójcik": ("Wojcik",), "Yousaf": ("Yusuf",), "Yusuf": ("Yousuf", "Yousef"),
    "Zainab": ("Zaynab",), "Zieliński": ("Zielinski",), "Kamiński": ("Kaminski",), "Zayn": ("Zain",),
    "Woźniak": ("Wozniak",), "Dąbrowski": ("Dabrowski",), "Kozłowski": ("Kozlowski",), "Szymański": ("Szymanski",),
}  # fmt: skip
"""A name → other ways to write it in the letters of another tongue."""

SOUND_ALIKES: Final[dict[str, tuple[str, ...]]] = {
    "Alan": ("Allen",), "Allan": ("Allen",), "Allen": ("Allan",), "Bailey": ("Bayley", "Baillie"), "Brook": ("Brooke",),
    "Brooke": ("Brook",), "Brown": ("Browne",), "Byrne": ("Burn", "Burne"), "Clark": ("Clarke",), "Clarke": ("Clark",),
    "Cook": ("Cooke",), "Davies": ("Davis",), "Davis": ("Davies",), "Dixon": ("Dickson",), "Fisher": ("Fischer",),
    "Gray": ("Grey",), "Green": ("Greene",), "Harris": ("Haris",), "Hewitt": ("Hewett",), "Hughes": ("Hewes",),
    "Kelly": ("Kelley",), "Lawrence": ("Laurence",), "Lee": ("Leigh",), "Matthews": ("Mathews",),
    "Mitchell": ("Mitchel",), "Moore": ("More",), "Morris": ("Maurice",), "Nicholson": ("Nicolson",),
    "O'Neill": ("O'Neil",), "O'Reilly": ("O'Riley",), "Palmer": ("Parmer",), "Payne": ("Paine",),
    "Pearce": ("Pierce",), "Pearson": ("Pierson",), "Phillips": ("Philips",), "Read": ("Reid", "Reed"),
    "Reid": ("Read", "Reed"), "Reynolds": ("Renolds",), "Rhodes": ("Roads",), "Rogers": ("Rodgers",),
    "Russell": ("Russel",), "Shaw": ("Shore",), "Shepherd": ("Sheppard",), "Smith": ("Smyth", "Smythe"),
    "Stephenson": ("Stevenson",), "Stephens": ("Stevens",), "Stevens": ("Stephens",), "Taylor": ("Tayler",),
    "Thompson": ("Thomson",), "Thomas": ("Tomas",), "Thorpe": ("Thorp",), "Walsh": ("Welsh",), "White": ("Whyte",),
    "Wright": ("Right",), "Isla": ("Eilah",), "Sophie": ("Sofie",), "Sophia": ("Sofia",), "Sofia": ("Sophia",),
    "Chloe": ("Khloe",), "Zoe": ("Zoey",), "Jackson": ("Jaxon",), "Jaxon": ("Jackson",), "Maisie": ("Maizie",),
    "Freya": ("Freyja",), "Callum": ("Calum",), "Connor": ("Conor",), "Conor": ("Connor",), "Finley": ("Finlay",),
    "Isaac": ("Izaac",), "Lewis": ("Louis",), "Louis": ("Lewis",), "Leah": ("Lia",), "Luca": ("Luka",),
    "Matthew": ("Mathew",), "Rory": ("Rorie",), "Sebastian": ("Sebastien",), "Harriet": ("Harriett",),
    "Hannah": ("Hanna",), "Sara": ("Sarah",), "Phoebe": ("Pheobe",), "Elliot": ("Elliott",), "Reuben": ("Ruben",),
}  # fmt: skip
"""A name → what somebody writes who only heard it."""

_STREETS: Final = (
    "Alder Amberley Ashmead Badger Barley Bellflower Birkenhill Bracken Bramble Buttercrane Cobbler's Coldharbour"
    " Cooper's Cornflower Crowfoot Curlew Dapplegrove Drover's Elderfield Fallow Fernbeck Foxholes Glebe"
    " Gorsefield Hareridge Hawthorn Hazelmere Heronsgate Hollin Honeysett Kestrel Kingcup Lambsgate Larkspur"
    " Linnet Maltings Marigold Meadowsweet Millrace Mossgill Nettlebed Oatlands Orchardside Otterburn Peartree"
    " Plover Quarryside Ramsons Redshank Rookery Rushmere Saddler's Sandpiper Skylark Sloebank Sorrel Spindle"
    " Stonecrop Swallow Tanner's Teasel Thistledown Tollgate Treadwater Vetchling Wagtail Weaver's Wheatear"
    " Willowherb Woodruff Wrenfield Yarrow"
)
_STREET: Final = tuple(_STREETS.split())
_KINDS: Final = (
    "Road",
    "Street",
    "Lane",
    "Close",
    "Avenue",
    "Drive",
    "Way",
    "Court",
    "Rise",
    "Walk",
    "Grove",
)

AREAS: Final = (
    ("E08000035", "383", "LS", "Leeds", "B86"), ("E08000032", "380", "BD", "Bradford", "B83"),
    ("E08000003", "352", "M", "Manchester", "P84"), ("E08000025", "330", "B", "Birmingham", "M85"),
    ("E06000023", "801", "BS", "Bristol", "L81"), ("E08000012", "341", "L", "Liverpool", "N82"),
    ("E08000019", "373", "S", "Sheffield", "C88"), ("E06000016", "856", "LE", "Leicester", "C82"),
    ("E06000010", "810", "HU", "Hull", "B81"), ("E08000021", "391", "NE", "Newcastle upon Tyne", "A86"),
    ("E06000018", "892", "NG", "Nottingham", "C84"), ("E08000026", "331", "CV", "Coventry", "M86"),
    ("E09000033", "213", "NW", "London", "E87"), ("E09000030", "211", "E", "London", "F84"),
    ("E09000012", "204", "N", "London", "F85"), ("E10000016", "886", "ME", "Maidstone", "G82"),
    ("E10000012", "881", "CM", "Chelmsford", "F81"), ("E10000008", "878", "EX", "Exeter", "L83"),
    ("E10000020", "926", "NR", "Norwich", "D82"), ("E06000026", "879", "PL", "Plymouth", "L86"),
)  # fmt: skip
"""Local authorities: ONS code, DfE number, postcode area, post town, first characters of its practices' ODS codes."""

Place = tuple[str, str, str]
"""Street, post town, postcode."""
PLACES: Final = 2_000
"""Streets of each area; children of one street share its postcode."""


@cache
def places(area: int) -> tuple[Place, ...]:
    """The streets of an area. Invented; their postcodes are of valid shape and mean nothing."""
    _, _, letters, town, _ = AREAS[area]
    ends = "ABDEFGHJLNPQRSTUWXYZ"
    return tuple(
        (
            f"{_STREET[(number + 7 * area) % len(_STREET)]} {_KINDS[number // len(_STREET) % len(_KINDS)]}",
            town,
            f"{letters}{1 + number % 9} {1 + number // 9 % 9}{ends[number // 81 % 20]}{ends[(number + area) % 20]}",
        )
        for number in range(PLACES)
    )
