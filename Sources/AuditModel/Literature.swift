/// The publications that rules and attacks rest on, each under one name.
extension Citation {
  package static let invertingGradients = Citation(
    "Geiping, Bauermeister, Dröge, Moeller",
    "Inverting Gradients – How easy is it to break privacy in federated learning?",
    "NeurIPS 2020", "Prop. 3.1")
  package static let deepLeakage = Citation(
    "Zhu, Liu & Han", "Deep Leakage from Gradients", "NeurIPS 2019", "algorithm 1")
  package static let additivelyHomomorphic = Citation(
    "Phong, Aono, Hayashi, Wang, Moriai",
    "Privacy-Preserving Deep Learning via Additively Homomorphic Encryption",
    "IEEE Transactions on Information Forensics and Security, 2018",
    "the ratio of weight and bias gradients")
  package static let recursiveAttack = Citation(
    "Zhu, Blaschko", "R-GAP: Recursive Gradient Attack on Privacy", "ICLR 2021",
    "the recursion over layers")
  package static let improvedDeepLeakage = Citation(
    "Zhao, Mopuri, Bilen", "iDLG: Improved Deep Leakage from Gradients", "arXiv:2001.02610, 2020",
    "the label from the sign of the last layer's gradient")
  package static let labelRestoration = Citation(
    "Ma, Sun, Cui, Li, Guan, Liu",
    "Instance-wise Batch Label Restoration via Gradients in Federated Learning", "ICLR 2023",
    "counts of labels in a batch")
  package static let adam = Citation(
    "Kingma, Ba", "Adam: A Method for Stochastic Optimization", "ICLR 2015", "Algorithm 1")
  package static let spear = Citation(
    "Dimitrov, Baader, Müller, Vechev",
    "SPEAR: Exact Gradient Inversion of Batches in Federated Learning", "NeurIPS 2024", "abstract")
  package static let curious = Citation(
    "Boenisch, Dziedzic, Schuster, Shamsabadi, Shumailov, Papernot",
    "When the Curious Abandon Honesty: Federated Learning Is Not Private",
    "IEEE EuroS&P 2023", "units active for a single sample")
  package static let unintendedLeakage = Citation(
    "Melis, Song, De Cristofaro, Shmatikov",
    "Exploiting Unintended Feature Leakage in Collaborative Learning",
    "IEEE Symposium on Security and Privacy 2019", "leakage from the embedding layer")
  package static let batchNormalization = Citation(
    "Ioffe, Szegedy",
    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    "ICML 2015", "Algorithm 1")
  package static let lambdaLayers = Citation(
    "CERT Coordination Center",
    "Keras 2 Lambda Layers Allow Arbitrary Code Injection in TensorFlow Models",
    "Vulnerability Note, 2024", "VU#253266")
  package static let convolutionArithmetic = Citation(
    "Dumoulin, Visin", "A guide to convolution arithmetic for deep learning",
    "arXiv:1603.07285, 2016", "the relations between input and output sizes")
  package static let dishonestServers = Citation(
    "Geiping, Bauermeister, Dröge, Moeller",
    "Inverting Gradients – How easy is it to break privacy in federated learning?",
    "NeurIPS 2020", "Appendix A, dishonest architectures and parameters")
  package static let robbingTheFed = Citation(
    "Fowl, Geiping, Czaja, Goldblum, Goldstein",
    "Robbing the Fed: Directly Obtaining Private Data in Federated Learning with Modified Models",
    "ICLR 2022", "the imprint module")
  package static let loki = Citation(
    "Zhao, Sharma, Elkordy, Ezzeldin, Avestimehr, Bagchi",
    "LOKI: Large-scale Data Reconstruction Attack against Federated Learning through Model "
      + "Manipulation", "IEEE Symposium on Security and Privacy 2024", "the inserted module")
  package static let fishing = Citation(
    "Wen, Geiping, Fowl, Goldblum, Goldstein",
    "Fishing for User Data in Large-Batch Federated Learning via Gradient Magnification",
    "ICML 2022", "class and feature fishing")
  package static let decepticons = Citation(
    "Fowl, Geiping, Reich, Wen, Czaja, Goldblum, Goldstein",
    "Decepticons: Corrupted Transformers Breach Privacy in Federated Learning for Language Models",
    "ICLR 2023", "the malicious parameters")
  package static let initialisers = Citation(
    "He, Zhang, Ren, Sun",
    "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification",
    "ICCV 2015", "initialisation, beside Glorot & Bengio 2010, LeCun et al. 1998, Saxe et al. 2014")
  package static let assignment = Citation(
    "Kuhn", "The Hungarian Method for the Assignment Problem",
    "Naval Research Logistics Quarterly, 1955", "the algorithm")
}
