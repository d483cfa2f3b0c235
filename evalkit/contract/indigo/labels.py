"""The columns of the impact bond data set: its long headers, our short names, and what kind of value each holds.

The headers are those of the published spreadsheet (INDIGO impact bond dataset, Government Outcomes Lab, May 2025),
without their common ending " - (Value)".
"""

from __future__ import annotations

# table: short name | kind (text, number, money, date) | header
LABELS = {
    "projects": """
    project | t | ID
    name | t | Impact Bond Name
    other_names | t | Alternative Names
    stage | t | Stage of Development
    stage_sources | t | Stage of Development - (Source ID's)
    prototype | t | Social Investment Prototype
    signed_on | d | Dates - Date outcomes contract signed
    all_signed_on | d | Dates - Date contracts between all parties signed
    completion_planned | d | Dates - Anticipated completion date
    completion_actual | d | Dates - Actual completion date
    service_start | d | Dates - Start date of service provision
    service_end_planned | d | Dates - Anticipated end date of service provision
    service_end_actual | d | Dates - Actual end date of service provision
    months_planned | n | Dates - Anticipated duration of service provision
    months_actual | n | Dates - Actual duration of service provision
    dates_sources | t | Dates - (Source ID's)
    dates_note | t | Dates - (Notes)
    jurisdiction | t | Jurisdiction - Jurisdiction
    jurisdiction_sources | t | Jurisdiction - (Source ID's)
    jurisdiction_note | t | Jurisdiction - (Notes)
    investment_currency | t | Overall project finance - Total investment commitment - Currency
    investment_min | m | Overall project finance - Total investment commitment - Amount - Min
    investment | m | Overall project finance - Total investment commitment - Amount - Exact
    investment_max | m | Overall project finance - Total investment commitment - Amount - Max
    investment_min_usd | m | Overall project finance - Total investment commitment - Amount USD - Min
    investment_usd | m | Overall project finance - Total investment commitment - Amount USD - Exact
    investment_max_usd | m | Overall project finance - Total investment commitment - Amount USD - Max
    maximum_currency | t | Overall project finance - Maximum potential outcome payment - Currency
    maximum | m | Overall project finance - Maximum potential outcome payment - Amount
    maximum_usd | m | Overall project finance - Maximum potential outcome payment - Amount USD
    maximum_loss | n | Overall project finance - Maximum potential loss
    maximum_return_type | t | Overall project finance - Maximum potential return type
    maximum_return | n | Overall project finance - Maximum potential return
    configuration | t | Overall project finance - Configuration of the Contracting Parties
    investor_repayment | t | Overall project finance - Investor repayment
    paid_currency | t | Overall project finance - Total outcome payments made - Currency
    paid | m | Overall project finance - Total outcome payments made - Amount
    paid_usd | m | Overall project finance - Total outcome payments made - Amount USD
    finance_sources | t | Overall project finance - (Source ID's)
    finance_note | t | Overall project finance - (Notes)
    invested_currency | t | Investment Details - Total Funds Invested - Latest - Currency
    invested | m | Investment Details - Total Funds Invested - Latest - Amount
    invested_usd | m | Investment Details - Total Funds Invested - Latest - Amount USD
    invested_on | d | Investment Details - Total Funds Invested - Latest - Date
    irr_target | n | Investment Details - Internal Rate of Return - Target
    irr_latest | n | Investment Details - Internal Rate of Return - Latest
    irr_on | d | Investment Details - Internal Rate of Return - Date
    investment_sources | t | Investment Details - (Source ID's)
    investment_note | t | Investment Details - (Notes)
    challenge | t | Purpose and classifications - Social challenge
    intervention | t | Purpose and classifications - Intervention
    sector | t | Purpose and classifications - Policy sector
    sdg_goal | t | Purpose and classifications - Primary SDG goal
    sdg_goals_other | t | Purpose and classifications - Secondary SDG goals
    sdg_target | t | Purpose and classifications - Primary SDG target
    sdg_targets_other | t | Purpose and classifications - Secondary SDG targets
    purpose_sources | t | Purpose and classifications - (Source ID's)
    purpose_note | t | Purpose and classifications - (Notes)
    population | t | Service and beneficiaries - Target population
    users_target | n | Service and beneficiaries - Targeted number of unique service users or beneficiaries (total)
    users_target_unit | t | Service and beneficiaries - Unit type of targeted service users or beneficiaries
    users_target_unit_is | t | Service and beneficiaries - Unit description of targeted service user or beneficiaries
    users | n | Service and beneficiaries - Actual number of unique service users or beneficiaries engaged (total)
    users_unit | t | Service and beneficiaries - Unit type of actual service users or beneficiaries engaged
    users_unit_is | t | Service and beneficiaries - Unit description of actual service user or beneficiaries engaged
    users_sources | t | Service and beneficiaries - (Source ID's)
    users_note | t | Service and beneficiaries - (Notes)
    covid | t | Changes to project due to COVID-19
    covid_sources | t | Changes to project due to COVID-19 - (Source ID's)
    note | t | Notes
    """,
    "outcome_metrics": """
    project | t | Project ID
    metric | t | Id
    definition | t | Outcome Definition
    population | t | Target Population
    users_target | n | Targeted number of service users Or beneficiaries (total)
    unit | t | Unit type of targeted Service users or beneficiaries
    unit_text | t | Unit description of Service user or beneficiaries
    target | t | Outcome metric target
    target_other | t | Other target for Meeting outcome metric target
    validation | t | Outcome validation Method
    data_source | t | Data source for Outcome validation
    sector | t | Policy sector
    sdg_goal | t | Primary SDG goal
    sdg_goals_other | t | Secondary SDG goals
    sdg_target | t | Primary SDG target
    sdg_targets_other | t | Secondary SDG targets
    sources | t | Sources
    note | t | Notes
    """,
    "outcome_pricings": """
    project | t | Project ID
    metric | t | Outcome Metric Id
    currency | t | Currency
    price | m | Price Per Unit - Amount
    price_usd | m | Price Per Unit - Amount USD
    maximum_price | m | Maximum Price if all targets achieved - Amount
    increases | t | Contracted increases to outcome pricing
    description | t | Price Description
    sources | t | Sources
    note | t | Notes
    """,
    "results": """
    project | t | Project ID
    metric | t | Outcome Metric Id
    level | t | Result level
    type | t | Result type
    start | d | Period - Start
    end | d | Period - End
    achieved | n | Outcomes achieved
    engaged | n | Number engaged In impact bond
    positive | n | Number with Positive social outcomes
    description | t | Other Description of result
    validators | t | Outcomes validator(s)
    documents | t | Evaluation Documents
    sources | t | Sources
    note | t | Notes
    """,
    "outcome_payment_plans": """
    project | t | Project ID
    plan | t | Outcome Payment Plan Id
    start | d | Period - Start
    end | d | Period - End
    sources | t | Sources
    note | t | Notes
    """,
    "outcome_payments": """
    project | t | Project ID
    plan | t | Outcome Payment Plan Id
    metric | t | Outcome Metric Id
    start | d | Period - Start
    end | d | Period - End
    payer | t | Payer Organisation ID
    recipient | t | Recipient Organisation ID
    kind | t | Type
    currency | t | Payments - Currency
    amount | m | Payments - Amount
    amount_usd | m | Payments - Amount USD
    sources | t | Sources
    note | t | Notes
    """,
    "outcome_payment_commitments": """
    project | t | Project ID
    organisation | t | Organisation ID
    role | t | Organisation Role Category
    maximum_currency | t | Maximum potential Outcome payment - Currency
    maximum | m | Maximum potential Outcome payment - Amount
    maximum_usd | m | Maximum potential Outcome payment - Amount USD
    type | t | Result type
    start | d | Period - Start
    end | d | Period - End
    paid_currency | t | Total outcome payments made - Currency
    paid | m | Total outcome payments made - Amount
    paid_usd | m | Total outcome payments made - Amount USD
    alterations | t | Alterations to payment commitment - Description
    alterations_why | t | Alterations to payment commitment - Reason
    sources | t | Sources
    note | t | Notes
    """,
    "investments": """
    project | t | Project ID
    investment | t | Id
    organisation | t | Organisation ID
    role | t | Organisation Role Category
    currency | t | Investment Commitment - Currency
    amount_min | m | Investment Commitment - Amount - Min
    amount | m | Investment Commitment - Amount - Exact
    amount_max | m | Investment Commitment - Amount - Max
    amount_min_usd | m | Investment Commitment - Amount USD - Min
    amount_usd | m | Investment Commitment - Amount USD - Exact
    amount_max_usd | m | Investment Commitment - Amount USD - Max
    maximum_loss | n | Maximum Potential loss
    maximum_return_type | t | Maximum Potential Return Type
    maximum_return | n | Maximum Potential Return
    investor_repayment | t | Investor Repayment
    type | t | Investment Type
    sources | t | Sources
    note | t | Notes
    """,
    "transactions": """
    project | t | Project ID
    investment | t | Investment Id
    metric | t | Outcome Metric Id
    date | d | Date
    sender | t | Sending Organisation ID
    receiver | t | Receiving Organisation ID
    type | t | Transaction Type
    currency | t | Money - Currency
    amount | m | Money - Amount
    amount_usd | m | Money - Amount USD
    sources | t | Sources
    note | t | Notes
    """,
    "service_provisions": """
    project | t | Project ID
    provision | t | Id
    organisation | t | Organisation ID
    role | t | Organisation Role Category
    intervention | t | Intervention
    planned_start | d | Planned Service - Start
    planned_end | d | Planned Service - End
    actual_start | d | Actual Service - Start
    actual_end | d | Actual Service - End
    alterations | t | Alterations to service - Description
    alterations_why | t | Alterations to service - Reason
    sources | t | Sources
    note | t | Notes
    """,
    "intermediary_services": """
    project | t | Project ID
    organisation | t | Organisation ID
    role | t | Organisation Role Category
    role_other | t | Other Role Description
    sources | t | Sources
    note | t | Notes
    """,
    "provider_side_cost": """
    project | t | Project ID
    date | d | Date
    phase | t | Phase of Impact Bond
    classification | t | Cost Classification
    currency | t | Payment - Currency
    planned | m | Payment - Planned
    planned_usd | m | Payment - Planned USD
    actual | m | Payment - Actual
    actual_usd | m | Payment - Actual USD
    incurred_by | t | Cost incurred by
    type | t | Type
    days | n | Number of days
    sources | t | Sources
    note | t | Notes
    """,
    "outcome_funds": """
    project | t | Project ID
    fund | t | Id
    sources | t | Sources
    note | t | Notes
    """,
    "delivery_locations": """
    project | t | Project ID
    provision | t | Service Provision ID
    name | t | Location - Name
    postcode | t | Location - Postcode
    country | t | Location - Country
    latitude | n | Lat/Lng - Lat
    longitude | n | Lat/Lng - Lng
    area | t | Administrative geography - Name
    area_code_type | t | Administrative geography - Code Type
    area_code | t | Administrative geography - Code
    sources | t | Sources
    note | t | Notes
    """,
    "documents": """
    project | t | Project ID
    title | t | Title
    address | t | URL
    note | t | Notes
    """,
    "sources": """
    project | t | Project ID
    source | t | Id
    name | t | Name
    type | t | Type
    publishers | t | Publishing Organisations
    address | t | URL
    address_archived | t | Archive URL
    address_internal | t | Internal URL
    published_on | d | Publication Date
    read_on | d | Accessed Date
    note | t | Notes
    """,
    "technical_assistances": """
    project | t | Project ID
    assistance | t | Id
    title | t | Title
    description | t | Description
    start | d | Period Start
    end | d | Period End
    funder | t | Funding Organisation Id
    recipient | t | Recipient Organisation Id
    currency | t | Currency
    sources | t | Sources
    note | t | Notes
    """,
    "technical_assistance_details": """
    project | t | Project ID
    assistance | t | Technical Assistance Id
    title | t | Title
    description | t | Description
    category | t | Category
    approach | t | Approach
    cost_type | t | Cost Type
    amount | m | Cost of Activities - Amount
    amount_usd | m | Cost of Activities - Amount USD
    days | n | Number of Days
    sources | t | Sources
    note | t | Notes
    """,
    "open_contracting_datas": """
    project | t | Project ID
    ocid | t | OCID
    sources | t | Sources
    note | t | Notes
    """,
    "organisations": """
    organisation | t | ID
    name | t | Name
    trading_name | t | Trading Name
    name_english | t | Translated Official Name - English
    name_language | t | Translated Official Name - Source Language
    description | t | Description
    jurisdiction | t | Jurisdiction
    type | t | Type
    org_id | t | ORG-Ids - Primary
    website | t | Website
    address | t | Address
    postcode | t | Postcode
    country | t | Country
    """,
    "funds": """
    fund | t | ID
    name | t | Fund - Name
    stage | t | Fund - Stage of Development
    host | t | Fund - Host institution of Outcome Fund
    mechanism | t | Fund - Mechanism
    launched_on | d | Fund - Dates - Launch date
    purpose | t | Fund - Purpose and classifications - Purpose
    currency | t | Fund - Dimensions of Scale - Total Outcome Fund value (outcomes funding) - Currency
    aspiration | m | Fund - Dimensions of Scale - Total Outcome Fund value (outcomes funding) - Aspiration - Amount
    actual | m | Fund - Dimensions of Scale - Total Outcome Fund value (outcomes funding) - Actual - Amount
    country | t | Fund - Country
    """,
}
